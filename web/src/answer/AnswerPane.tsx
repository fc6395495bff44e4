/** The answer to one question: in words, as SQL, as rows or a chart, and how it was found. */

import type { Ref } from "react";
import type { About, Result, Schema } from "../api/types";
import type { Turn } from "../conversation/turns";
import { useElapsed } from "../common/hooks";
import { likelihood, seconds } from "../common/format";
import { unmarked } from "../common/Prose";
import { visible } from "../common/visible";
import { NOT_RUN, STATUS, STOPPED } from "../trace/words";
import type { EditorHandle } from "./SqlEditor";
import { Timeline } from "./Timeline";
import { Workbench } from "./Workbench";

interface Props {
  turn: Turn;
  database: string;
  schema: Schema | null;
  about: About | null;
  theme: string;
  author: string;
  onAuthor: (name: string) => void;
  onRetry: () => void;
  onMend: (sql: string) => void;
  onAnswerQuestion: () => void;
  editor: Ref<EditorHandle>;
}

export function AnswerPane(props: Props) {
  const { turn, schema } = props;
  const elapsed = useElapsed(turn.state === "running" ? turn.began : null);
  const question = turn.understood || turn.said;
  return (
    <article className="answer" aria-label="Answer">
      <h1 className="question">{visible(question)}</h1>
      {turn.understood && turn.understood !== turn.said && (
        <p className="muted small">You said “{visible(turn.said)}”. It was understood as the question above.</p>
      )}
      <State {...props} />
      {turn.result && <Verdict result={turn.result} />}
      {(turn.result || (turn.trace.attempts.length > 0 && turn.state !== "running")) && (
        <Workbench key={turn.key} {...props} question={question} />
      )}
      {(turn.trace.attempts.length > 0 || turn.trace.notes.length > 0 || turn.state === "running") && (
        <Timeline turn={turn} dialect={schema?.dialect ?? ""} elapsed={elapsed} />
      )}
    </article>
  );
}

/** What keeps this turn from being an answer. */
function State({ turn, onRetry, onAnswerQuestion }: Props) {
  const retry = (
    <button type="button" onClick={onRetry}>
      Ask again
    </button>
  );
  if (turn.state === "failed")
    return (
      <div className="notice bad" role="alert">
        <p>There is no answer: {visible(turn.error)}</p>
        {retry}
      </div>
    );
  if (turn.state === "stopped")
    return (
      <div className="notice">
        <p>You stopped this. What was tried until then is below.</p>
        {retry}
      </div>
    );
  if (turn.state === "asking")
    return (
      <div className="notice warn">
        <p>This waits for you.</p>
        <button type="button" onClick={onAnswerQuestion}>
          Decide
        </button>
      </div>
    );
  return null;
}

/** The answer in words, and how far it is to be trusted. */
function Verdict({ result }: { result: Result }) {
  const ran = result.columns.length > 0 || result.status !== "unverified";
  const status = ran ? STATUS[result.status] : NOT_RUN;
  const failed = result.status === "failed";
  return (
    <section className="verdict" aria-label="In words">
      {ran && result.in_words && <p className={wordsClass(result)}>{unmarked(result.in_words)}</p>}
      <ul className="badges">
        <li className={`chip status ${result.status}`}>{status.title}</li>
        {ran && !failed && result.status !== "abstained" && <li className="chip">{confidenceWords(result.confidence)}</li>}
        {result.seconds != null && <li className="chip">{seconds(result.seconds)}</li>}
      </ul>
      <p className="muted small">
        {status.meaning} {ran && STOPPED[result.stopped]}
      </p>
      {result.assumptions.length > 0 && (
        <ul className="assumptions">
          {result.assumptions.map((each) => (
            <li key={each}>{unmarked(each)}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** One value is the answer itself and stands large; a list of rows is better read in the table. */
function wordsClass(result: Result): string {
  if (result.status === "failed") return "bad";
  return result.rows.length > 1 ? "muted" : "words";
}

function confidenceWords(confidence: number | null): string {
  return confidence === null ? "Chance of being right: unknown" : `Right in ${likelihood(confidence)} such answers`;
}
