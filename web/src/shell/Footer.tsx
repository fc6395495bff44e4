/** The foot of the page: which model answers, how fast, and how much memory it takes; unknown is said. */

import type { Info, ModelCall } from "../api/types";
import { megabytes } from "../common/format";
import { visible } from "../common/visible";

export function Footer({ info, calls, model }: { info: Info | null; calls: ModelCall[]; model: string }) {
  if (!info) return <footer className="foot">Waiting for the server…</footer>;
  const speed = speedOf(calls) ?? info.tokens_per_second;
  return (
    <footer className="foot">
      <span>Model {visible(model || info.model)}</span>
      <span>{speed === null ? "Speed unknown" : `${speed.toFixed(speed < 10 ? 1 : 0)} tokens a second`}</span>
      <span>{info.memory_mb === null ? "Memory unknown" : `${megabytes(info.memory_mb)} of memory`}</span>
      <span>Critiql {info.version}</span>
    </footer>
  );
}

/** Tokens a second while the last answer was written; null where nothing was. */
function speedOf(calls: readonly ModelCall[]): number | null {
  const writing = calls.filter((call) => call.generated_tokens > 0 && call.seconds > 0);
  const time = writing.reduce((sum, call) => sum + call.seconds, 0);
  return time > 0 ? writing.reduce((sum, call) => sum + call.generated_tokens, 0) / time : null;
}
