/** The foot of the page: which model answers, how fast, and how much memory it takes; unknown is said. */

import type { About, MachineStatus, ModelCall } from "../api/types";
import { megabytes } from "../common/format";
import { visible } from "../common/visible";

interface Props {
  about: About | null;
  status: MachineStatus | null;
  calls: ModelCall[];
  /** The model the person chose; empty: the server's own. */
  model: string;
}

export function Footer({ about, status, calls, model }: Props) {
  if (!about) return <footer className="foot">Waiting for the server…</footer>;
  const speed = speedOf(calls) ?? status?.tokens_per_second ?? null;
  const memory = status?.memory_bytes ?? null;
  return (
    <footer className="foot">
      <span>Model {visible(model || about.model.name)}{status?.loaded === false && " (not loaded yet)"}</span>
      <span>{speed === null ? "Speed unknown" : `${speed.toFixed(speed < 10 ? 1 : 0)} tokens a second, read and written`}</span>
      <span>{memory === null ? "Memory unknown" : `${megabytes(memory / 1e6)} of memory`}</span>
      <span>Critiql {about.version}</span>
    </footer>
  );
}

/** Tokens a second that the last answer took, those read and those written; null where no model was asked. */
function speedOf(calls: readonly ModelCall[]): number | null {
  const time = calls.reduce((sum, call) => sum + call.seconds, 0);
  const tokens = calls.reduce(
    (sum, call) => sum + call.prompt_tokens - call.cached_tokens + call.generated_tokens,
    0,
  );
  return time > 0 ? tokens / time : null;
}
