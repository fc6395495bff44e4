/** The conversation: what was said, what came of it in a line, and the field for the next question. */

import { useEffect, useRef } from "react";
import { useElapsed } from "../common/hooks";
import { counted, seconds } from "../common/format";
import { Prose, unmarked } from "../common/Prose";
import { visibleLines } from "../common/visible";
import { STATUS } from "../trace/words";
import { Composer } from "./Composer";
import type { Turn } from "./turns";
import type { Conversation } from "./use_conversation";

interface Props {
  conversation: Conversation;
  chosen: number | null;
  onChoose: (key: number) => void;
  onDecide: () => void;
  examples: string[];
  database: string;
  ready: boolean;
}

export function ConversationPane({ conversation, chosen, onChoose, onDecide, examples, database, ready }: Props) {
  const { turns, running, error } = conversation;
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    end.current?.scrollIntoView({ block: "end" }); // newer browsers return a promise, which is no clean-up
  }, [turns.length, turns.at(-1)?.state]);
  return (
    <section className="conversation" aria-label="Conversation">
      <div className="turns">
        {error && (
          <p className="notice bad" role="alert">
            {error}
          </p>
        )}
        {turns.length === 0 && <Welcome examples={examples} database={database} onAsk={conversation.ask} ready={ready} />}
        <ol>
          {turns.map((turn) => (
            <TurnCard
              key={turn.key}
              turn={turn}
              chosen={turn.key === chosen}
              onChoose={() => onChoose(turn.key)}
              onDecide={onDecide}
              onStop={conversation.stop}
            />
          ))}
        </ol>
        <div ref={end} />
      </div>
      <Composer
        running={running}
        waiting={turns.at(-1)?.state === "asking"}
        ready={ready}
        follows={turns.length > 0}
        onAsk={conversation.ask}
        onStop={conversation.stop}
      />
    </section>
  );
}

function Welcome({
  examples,
  database,
  onAsk,
  ready,
}: {
  examples: string[];
  database: string;
  onAsk: (question: string) => void;
  ready: boolean;
}) {
  return (
    <div className="welcome">
      <h1>Ask {database || "the database"} a question</h1>
      <p className="muted">
        Each answer comes with its SQL, and with every query that was tried on the way. Queries can only read.
      </p>
      {examples.length > 0 && (
        <>
          <h2 className="small">For example</h2>
          <ul className="examples">
            {examples.map((example) => (
              <li key={example}>
                <button type="button" disabled={!ready} onClick={() => onAsk(example)}>
                  {visibleLines(example)}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

interface CardProps {
  turn: Turn;
  chosen: boolean;
  onChoose: () => void;
  onDecide: () => void;
  onStop: () => void;
}

function TurnCard({ turn, chosen, onChoose, onDecide, onStop }: CardProps) {
  const shows = Boolean(turn.result || turn.trace.attempts.length || turn.state === "running");
  return (
    <li className={chosen ? "turn chosen" : "turn"}>
      <p className="said">{visibleLines(turn.said)}</p>
      {turn.understood && turn.understood !== turn.said && (
        <p className="understood small">Understood as: {visibleLines(turn.understood)}</p>
      )}
      <div className="reply" aria-live="polite" aria-busy={turn.state === "running"}>
        <Reply turn={turn} onDecide={onDecide} onStop={onStop} />
      </div>
      {shows && (
        <button type="button" className="quiet show" aria-pressed={chosen} onClick={onChoose}>
          {turn.state === "running" ? "Watch" : "Show SQL and rows"}
        </button>
      )}
    </li>
  );
}

function Reply({ turn, onDecide, onStop }: { turn: Turn; onDecide: () => void; onStop: () => void }) {
  const elapsed = useElapsed(turn.state === "running" ? turn.began : null);
  switch (turn.state) {
    case "running":
      return (
        <p className="going">
          <span className="spinner" aria-hidden="true" />
          <span>{turn.trace.waiting || "Finishing"}…</span>
          <span aria-live="off" className="muted">
            {elapsed !== null && seconds(elapsed)}
          </span>
          <button type="button" className="quiet" onClick={onStop}>
            Stop
          </button>
        </p>
      );
    case "asking":
      return (
        <p>
          {turn.asked ? unmarked(turn.asked.message) : "A decision of yours is needed."}{" "}
          <button type="button" onClick={onDecide}>
            Decide
          </button>
        </p>
      );
    case "failed":
      return <p className="bad">There is no answer: {visibleLines(turn.error)}</p>;
    case "stopped":
      return <p className="muted">Stopped by you.</p>;
    default:
      return <Done turn={turn} />;
  }
}

function Done({ turn }: { turn: Turn }) {
  const { result, reply } = turn;
  if (reply) return <Prose text={reply} />;
  if (!result) return <p className="muted">Done.</p>;
  return (
    <>
      <p className={result.status === "failed" ? "bad" : undefined}>{unmarked(result.in_words)}</p>
      <p className="badges">
        <span className={`chip status ${result.status}`}>{STATUS[result.status].title}</span>
        {result.status !== "failed" && result.status !== "abstained" && result.columns.length > 0 && (
          <span className="muted small">
            {result.truncated ? "More than " : ""}
            {counted(result.rows.length, "row")}
          </span>
        )}
      </p>
    </>
  );
}
