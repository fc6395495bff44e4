/** The SQL of an answer with what can be done with it, and its rows. */

import { type Ref, useState } from "react";
import { exportRows } from "../api/routes";
import { inWords } from "../api/http";
import type { About, Cell, Finding, Result, Schema } from "../api/types";
import { CopyButton } from "../common/CopyButton";
import { csvOf, download, jsonOf } from "../common/files";
import { seconds } from "../common/format";
import { unmarked } from "../common/Prose";
import { visible } from "../common/visible";
import type { Turn } from "../conversation/turns";
import { errorTitle, typeName } from "../trace/words";
import { Chart } from "./Chart";
import { RowsTable } from "./RowsTable";
import { SqlDiff } from "./SqlDiff";
import { type EditorHandle, SqlEditor } from "./SqlEditor";
import { type Query, useQuery } from "./use_query";
import { VerifyDialog } from "./VerifyDialog";

interface Props {
  turn: Turn;
  question: string;
  database: string;
  schema: Schema | null;
  about: About | null;
  onMend: (sql: string) => void;
  theme: string;
  author: string;
  onAuthor: (name: string) => void;
  editor: Ref<EditorHandle>;
}

const NONE: Finding[] = [];

export function Workbench(props: Props) {
  const { turn, question, database, schema, about } = props;
  const last = turn.trace.attempts.find((one) => one.id === turn.trace.standing) ?? turn.trace.attempts.at(-1);
  const given = turn.result?.sql ?? last?.sql ?? "";
  const known = (last?.sql === given ? last.findings : null) ?? NONE;
  const query = useQuery(database, question, given, known);
  const [verifying, setVerifying] = useState(false);
  const shown = shownRows(query, turn.result, given);
  const failed = failureOf(query, turn.result, last?.run?.message ?? null);
  const wrong = query.text.trim() !== "" && (failed !== null || query.findings.length > 0);
  return (
    <>
      <section className="sql" aria-labelledby="sql-title">
        <div className="bar">
          <h2 id="sql-title">SQL</h2>
          <CopyButton text={query.text} name="Copy the SQL" />
          {query.text !== given && (
            <button type="button" className="quiet" onClick={query.reset}>
              Undo my changes
            </button>
          )}
          {about?.memory && (
            <button type="button" className="quiet" disabled={!query.text.trim()} onClick={() => setVerifying(true)}>
              Save as verified
            </button>
          )}
          <RunButton query={query} />
        </div>
        <SqlEditor
          ref={props.editor}
          value={query.text}
          onChange={query.setText}
          onRun={() => query.run()}
          findings={query.findings}
          schema={schema}
          dialect={schema?.dialect}
          label="SQL, editable; Control and Enter run it"
        />
        {failed !== null && (
          <p className="notice bad" role="alert">
            {failed}
          </p>
        )}
        <Findings findings={query.findings} />
        {wrong && !query.proposal && (
          <button
            type="button"
            disabled={query.busy !== "" || turn.state === "running"}
            onClick={() => (about?.refine ? query.mend() : props.onMend(query.text))}
          >
            {query.busy === "mending" ? "Mending…" : "Mend this query"}
          </button>
        )}
        {query.error && (
          <p className="notice bad" role="alert">
            {visible(query.error)}
          </p>
        )}
        <Proposal query={query} dialect={schema?.dialect ?? ""} />
        <Other result={turn.result} onUse={(sql) => query.run(sql)} />
      </section>
      {shown && <Rows {...props} {...shown} />}
      {verifying && <VerifyDialog {...props} sql={query.text} onClose={() => setVerifying(false)} />}
    </>
  );
}

function RunButton({ query }: { query: Query }) {
  if (query.busy)
    return (
      <button type="button" className="primary" onClick={query.stop}>
        Stop
      </button>
    );
  return (
    <button type="button" className="primary" disabled={!query.text.trim()} onClick={() => query.run()}>
      Run
    </button>
  );
}

function Findings({ findings }: { findings: Finding[] }) {
  if (!findings.length) return null;
  return (
    <ul className="facts" aria-label="Errors in the SQL">
      {findings.map((finding, index) => (
        <li key={index} className="warn">
          <strong>{typeName(finding)}:</strong> {visible(finding.explanation)} {visible(finding.suggestion ?? "")}
        </li>
      ))}
    </ul>
  );
}

/** A mended query as a change to look at; nothing is taken over by itself. */
function Proposal({ query, dialect }: { query: Query; dialect: string }) {
  const proposal = query.proposal;
  if (!proposal) return null;
  if (!proposal.changed)
    return (
      <div className="notice" role="status">
        <p>The model found nothing better.</p>
        <button type="button" onClick={query.refuse}>
          Close
        </button>
      </div>
    );
  return (
    <div className="proposal" role="group" aria-label="Proposed change">
      <p>This is what would change:</p>
      <SqlDiff text={proposal.after} before={query.text} dialect={dialect} label="Proposed SQL" />
      <div className="actions">
        <button type="button" className="primary" onClick={query.accept}>
          Take it and run
        </button>
        <button type="button" onClick={query.refuse}>
          Keep mine
        </button>
      </div>
    </div>
  );
}

/** The reading of the question that was not chosen. */
function Other({ result, onUse }: { result: Result | null; onUse: (sql: string) => void }) {
  if (!result?.other) return null;
  const { words, sql } = result.other;
  return (
    <p className="notice">
      The question can be read otherwise: {unmarked(words)}{" "}
      <button type="button" className="quiet" onClick={() => onUse(sql)}>
        Show that one
      </button>
    </p>
  );
}

interface Shown {
  sql: string;
  columns: string[];
  rows: Cell[][];
  truncated: boolean;
  /** Whose query gave these rows, in words. */
  from: string;
}

function Rows({ sql, columns, rows, truncated, from, turn, question, database, theme }: Props & Shown) {
  const [view, setView] = useState<"table" | "chart">(turn.chart?.spec ? "chart" : "table");
  return (
    <section className="result" aria-labelledby="rows-title">
      <div className="bar">
        <h2 id="rows-title">Rows</h2>
        {rows.length > 0 && (
          <fieldset className="segments" aria-label="How to show the rows">
            {(["table", "chart"] as const).map((each) => (
              <label key={each}>
                <input type="radio" name="view" checked={view === each} onChange={() => setView(each)} />
                <span>{each === "table" ? "Table" : "Chart"}</span>
              </label>
            ))}
          </fieldset>
        )}
        {columns.length > 0 && <Export {...{ database, sql, columns, rows, truncated }} />}
      </div>
      <p className="muted small">{from}</p>
      {rows.length === 0 ? (
        <p className="notice">The query ran and returned no rows. That is an answer: nothing fits it.</p>
      ) : view === "table" ? (
        <RowsTable columns={columns} rows={rows} truncated={truncated} label={`Rows for: ${visible(question)}`} />
      ) : (
        <Chart columns={columns} rows={rows} truncated={truncated} given={turn.chart} theme={theme} />
      )}
    </section>
  );
}

type ExportProps = { database: string } & Pick<Shown, "sql" | "columns" | "rows" | "truncated">;

/** Files with the rows; where the table was cut, the server fetches more of them for the file. */
function Export({ database, sql, columns, rows, truncated }: ExportProps) {
  const [said, setSaid] = useState("");
  const save = async (format: "csv" | "json") => {
    if (!truncated) {
      const text = format === "csv" ? csvOf(columns, rows) : jsonOf(columns, rows);
      return download(new Blob([text], { type: format === "csv" ? "text/csv" : "application/json" }), `rows.${format}`);
    }
    try {
      const fetched = await exportRows(database, sql, format);
      download(fetched.file, `rows.${format}`);
      setSaid(fetched.truncated ? "The file is cut as well: there are still more rows." : "The file has all rows.");
    } catch (failure) {
      setSaid(`No file: ${inWords(failure)}`);
    }
  };
  return (
    <span className="export">
      <button type="button" className="quiet" aria-label="Download as CSV" onClick={() => void save("csv")}>
        CSV
      </button>
      <button type="button" className="quiet" aria-label="Download as JSON" onClick={() => void save("json")}>
        JSON
      </button>
      {said && <span role="status">{said}</span>}
    </span>
  );
}

function shownRows(query: Query, result: Result | null, given: string): Shown | null {
  const ran = query.ran;
  const stale = " The SQL above was changed since; run it to see its rows.";
  if (ran?.ok) {
    const changed = ran.sql === query.text ? "" : stale;
    return { ...ran, from: `From your run of the SQL, ${seconds(ran.seconds)}.${changed}` };
  }
  if (ran || !result || !result.columns.length || result.status === "failed") return null;
  const changed = given === query.text ? "" : stale;
  return { ...result, from: `From the answer's SQL.${changed}` };
}

/** The error to show beside the SQL, in words. */
function failureOf(query: Query, result: Result | null, last: string | null): string | null {
  const ran = query.ran;
  if (ran && !ran.ok) return ran.sql === query.text ? `${title(ran.kind)}: ${visible(ran.message ?? "")}` : null;
  if (ran || result?.status !== "failed" || query.text !== result.sql) return null;
  return last ? `The query failed: ${visible(last)}` : null;
}

function title(kind: string | null): string {
  const words = errorTitle(kind);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
