/** How an answer was found: every query that was tried, what changed, what was wrong, and which one stands. */

import type { Turn } from "../conversation/turns";
import { counted, seconds } from "../common/format";
import { visible } from "../common/visible";
import type { Attempt, Trace } from "../trace/trace";
import { cost, decisionWords, origin, outcome, queryNumber, reviewWords, roleName, typeName } from "../trace/words";
import { visibleLines } from "../common/visible";
import { SqlDiff } from "./SqlDiff";

export function Timeline({ turn, dialect, elapsed }: { turn: Turn; dialect: string; elapsed: number | null }) {
  const trace = turn.trace;
  const running = turn.state === "running";
  return (
    <section className="timeline" aria-labelledby="how">
      <h2 id="how">How this was found</h2>
      <p className="muted small">{summary(turn, elapsed)}</p>
      <ol>
        {notesAfter(trace, 0)}
        {trace.attempts.map((attempt, index) => (
          <Step key={index} attempt={attempt} index={index} trace={trace} dialect={dialect} running={running} />
        ))}
        {running && <Live trace={trace} elapsed={elapsed} />}
      </ol>
      <Costs turn={turn} />
    </section>
  );
}

interface StepProps {
  attempt: Attempt;
  index: number;
  trace: Trace;
  dialect: string;
  running: boolean;
}

function Step({ attempt, index, trace, dialect, running }: StepProps) {
  const before = comparedWith(trace.attempts, index);
  const stands = trace.standing === attempt.id && trace.attempts.findLastIndex((one) => one.id === attempt.id) === index;
  const repeated = attempt.repeats !== null && attempt.repeats !== attempt.id;
  return (
    <>
      <li className={`step ${mark(attempt)}${stands ? " stands" : ""}`}>
        <details open={stands || running || Boolean(attempt.findings?.length)}>
          <summary>
            <span className="step-name">{queryNumber(attempt.id)}</span>
            <span className="step-origin">{origin(attempt)}</span>
            {stands && <span className="chip good">{running ? "best so far" : "the answer"}</span>}
            {attempt.run && <span className={attempt.run.ok ? "chip" : "chip bad"}>{outcome(attempt.run)}</span>}
            {!!attempt.findings?.length && <span className="chip warn">{counted(attempt.findings.length, "error")}</span>}
            <span className="step-cost">{cost(attempt)}</span>
          </summary>
          <div className="step-body">
            {attempt.note && <p className="muted">{visible(attempt.note)}</p>}
            {repeated ? (
              <p className="muted">The same as {queryNumber(attempt.repeats!)}.</p>
            ) : (
              <>
                {before && before.sql !== attempt.sql && (
                  <p className="muted small">Compared with {queryNumber(before.id)}</p>
                )}
                <SqlDiff
                  text={attempt.sql}
                  before={before?.sql}
                  findings={attempt.findings ?? undefined}
                  dialect={dialect}
                  label={`SQL of ${queryNumber(attempt.id)}`}
                />
              </>
            )}
            <Facts attempt={attempt} />
          </div>
        </details>
      </li>
      {notesAfter(trace, index + 1)}
    </>
  );
}

function Facts({ attempt }: { attempt: Attempt }) {
  const { run, findings, decision } = attempt;
  return (
    <ul className="facts">
      {run &&
        (run.ok ? (
          <li>
            Ran in {seconds(run.seconds)}: {outcome(run)}.
          </li>
        ) : (
          <li className="bad">{visible(run.message ?? outcome(run))}</li>
        ))}
      {attempt.review && <li>{reviewWords(attempt)}</li>}
      {attempt.unchecked && <li>Only the fixed rules looked for errors: {visible(attempt.unchecked)}</li>}
      {findings?.map((finding, index) => (
        <li key={index} className="warn">
          <strong>{typeName(finding)}:</strong> {visible(finding.explanation)} {visible(finding.suggestion ?? "")}
        </li>
      ))}
      {findings?.length === 0 && <li>No errors found.</li>}
      {decision && <li className={decision.displaced ? "good" : undefined}>{visible(decisionWords(decision))}</li>}
    </ul>
  );
}

/** What happens now, and for how long. */
function Live({ trace, elapsed }: { trace: Trace; elapsed: number | null }) {
  return (
    <li className="step live">
      <p>
        <span className="spinner" aria-hidden="true" />
        {trace.waiting || "Working"}… {elapsed !== null && <span className="muted">{seconds(elapsed)}</span>}
      </p>
      {trace.writing && <pre className="writing">{visibleLines(trace.writing.text)}</pre>}
    </li>
  );
}

/** Seconds and tokens by what they were spent on. */
function Costs({ turn }: { turn: Turn }) {
  const calls = turn.result?.calls ?? [];
  if (!calls.length) return null;
  const roles = [...new Set(calls.map((call) => call.role))];
  return (
    <details className="costs">
      <summary>Time and tokens</summary>
      <table aria-label="Time and tokens">
        <thead>
          <tr>
            {["For", "Model", "Calls", "Read", "Written", "Time"].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {roles.map((role) => {
            const those = calls.filter((call) => call.role === role);
            const sum = (of: (call: (typeof those)[number]) => number) => those.reduce((total, call) => total + of(call), 0);
            return (
              <tr key={role}>
                <td>{roleName(role)}</td>
                <td>{visible([...new Set(those.map((call) => call.model))].join(", "))}</td>
                <td className="number">{those.length}</td>
                <td className="number">{sum((call) => call.prompt_tokens).toLocaleString("en")}</td>
                <td className="number">{sum((call) => call.generated_tokens).toLocaleString("en")}</td>
                <td className="number">{seconds(sum((call) => call.seconds))}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p className="muted small">Read and written count tokens, pieces of words that a model works in.</p>
    </details>
  );
}

function summary(turn: Turn, elapsed: number | null): string {
  const spent = turn.state === "running" ? elapsed : turn.seconds;
  const calls = turn.result?.calls ?? [];
  const parts = [counted(turn.trace.attempts.length, "query").replace("querys", "queries")];
  if (spent !== null) parts.push(seconds(spent));
  if (calls.length) {
    parts.push(counted(calls.length, "model call"));
    parts.push(counted(calls.reduce((sum, call) => sum + call.generated_tokens, 0), "token") + " written");
  }
  return parts.join(" · ");
}

function notesAfter(trace: Trace, after: number) {
  return trace.notes
    .filter((note) => note.after === after)
    .map((note, index) => (
      <li key={`note-${after}-${index}`} className="step note">
        {visible(note.text)}
      </li>
    ));
}

/** The query before; a mended one is compared with the one that was mended. */
function comparedWith(attempts: readonly Attempt[], index: number): Attempt | undefined {
  const earlier = attempts.slice(0, index);
  if (attempts[index]?.origin === "repair") return earlier.findLast((attempt) => attempt.origin !== "repair");
  return earlier.at(-1);
}

function mark(attempt: Attempt): string {
  if (attempt.run && !attempt.run.ok) return "failed";
  return attempt.findings?.length ? "doubted" : "ran";
}
