/** From events to what the timeline draws. Pure: the same events give the same trace. */

import type { Finding, Result, StoredDecision, StoredQuery } from "../api/types";
import type { Exemplified, TraceEvent } from "./events";

/** How running a query went. */
export interface Run {
  ok: boolean;
  kind: string | null;
  message: string | null;
  rowCount: number;
  seconds: number;
}

/** What the model said of a query on a second look. */
export interface Review {
  /** Probability that the query is right, in the model's reading; null is unknown. */
  reading: number | null;
  verdict: string;
  seconds: number | null;
}

/** One query that was tried. */
export interface Attempt {
  id: number;
  sql: string;
  origin: string;
  note: string;
  repeats: number | null;
  seconds: number | null;
  tokens: number | null;
  run: Run | null;
  review: Review | null;
  /** null: nobody looked for errors yet. */
  findings: Finding[] | null;
  /** How it was weighed against the query that stood before it. */
  decision: StoredDecision | null;
  /** Why the check by a model could not be made. */
  unchecked: string;
}

/** Something worth a line that belongs to no query. */
export interface Note {
  /** Attempts there were when it happened. */
  after: number;
  text: string;
}

export interface Trace {
  attempts: Attempt[];
  notes: Note[];
  /** What a model is writing now. */
  writing: { role: string; text: string } | null;
  /** What the run waits for, in words. */
  waiting: string;
  /** Id of the query that is the answer, or would be now. */
  standing: number | null;
  rewritten: string;
}

export const NOTHING: Trace = {
  attempts: [],
  notes: [],
  writing: null,
  waiting: "Reading the question",
  standing: null,
  rewritten: "",
};

/** Read all events. */
export function traceOf(events: readonly TraceEvent[]): Trace {
  return events.reduce(withEvent, NOTHING);
}

/** The trace after one more event. */
export function withEvent(trace: Trace, event: TraceEvent): Trace {
  switch (event.type) {
    case "writing":
      return written(trace, event.role, event.text);
    case "rewritten":
      return { ...trace, rewritten: event.question, waiting: "Choosing what to do" };
    case "routed":
      return { ...trace, waiting: "Reading the tables" };
    case "grounded":
      return { ...noted(trace, grounded(event)), waiting: "The model writes the query" };
    case "examples":
      return event.pairs || event.left_out.length || event.made.length ? noted(trace, examples(event)) : trace;
    case "recalled":
      return noted(trace, "This question was answered before. The same query runs again; no model is asked.");
    case "resumed":
      return noted(trace, "This run goes on where an earlier one was cut off.");
    case "abstained":
      return noted(trace, event.reason);
    case "candidate":
      return proposed(trace, event);
    case "executed":
      return changed(trace, event.id, { run: runOf(event) }, "The model looks over the query");
    case "judged":
      return changed(
        trace,
        event.id,
        { review: { reading: event.p_true, verdict: event.verdict, seconds: event.seconds } },
        "Looking for errors",
      );
    case "sensed":
      return changed(trace, event.id, { unchecked: event.error }, "Looking for errors");
    case "detected":
      return changed(trace, event.id, { findings: findingsOf(event.findings) }, "Weighing the queries");
    case "localised":
      return { ...trace, waiting: "The model mends the query" };
    case "refined":
      return event.changed ? trace : noted(trace, `Asked to mend query ${event.source + 1}, the model changed nothing.`);
    case "assisted":
      return { ...trace, waiting: "Weighing the queries" };
    case "kept":
    case "displaced":
      return decided(trace, { ...event, displaced: event.type === "displaced" });
    case "escalated":
      return { ...noted(trace, `The larger model ${event.model} is asked.`), waiting: "The larger model writes" };
    case "budget":
      return noted(trace, limitReached(event.limit));
    case "reviewed":
      return noted(trace, REVIEWED[event.decision] ?? event.decision);
    case "answered":
      return { ...trace, standing: event.id, writing: null, waiting: "" };
    default:
      return trace; // charted, and what a newer server may add
  }
}

/** The trace of an answer that is opened again, from what the answer keeps. */
export function traceOfResult(result: Result): Trace {
  const attempts = result.candidates.map((query) => attemptOf(query, result.decisions));
  return { ...NOTHING, attempts, waiting: "", standing: result.incumbent };
}

const REVIEWED: Record<string, string> = {
  approve: "You let the query run.",
  edit: "You changed the query before it ran.",
  reject: "You did not let the query run.",
  respond: "You asked for something else.",
};

const LIMITS: Record<string, string> = {
  rounds: "the number of tries that is allowed",
  seconds: "the time that is allowed",
  tokens: "the number of tokens that is allowed",
  no_progress: "the same queries coming again",
};

function limitReached(limit: string): string {
  return `Stopped by ${LIMITS[limit] ?? limit}.`;
}

function grounded(event: { database: string; dialect: string; tables: number; pruned: boolean }): string {
  const cut = event.pruned ? " The model sees only the tables that fit the question." : "";
  return `Read ${event.tables} ${event.tables === 1 ? "table" : "tables"} of ${baseName(event.database)} (${event.dialect}).${cut}`;
}

/** Which verified pairs the model is shown, by name, and why others are not. */
function examples(event: Exemplified): string {
  const made = event.made.map((question) => `Example made from the tables: ${question}`);
  if (!event.pairs && !event.left_out.length) return made.join(" ");
  const names = [...event.shown.map((line) => `line ${line}`), ...event.verified];
  const shown = names.length ? `Verified pairs shown to the model: ${names.join(", ")}.` : "No verified pair is shown to the model.";
  const leftOut = event.left_out.length ? [`Left out: ${event.left_out.join("; ")}`] : [];
  return [shown, ...leftOut, ...made].join(" ");
}

/** The last part of a path; a database's name stays as it is. */
export function baseName(path: string): string {
  return path.split("/").pop() || path;
}

function written(trace: Trace, role: string, text: string): Trace {
  const before = trace.writing?.role === role ? trace.writing.text : "";
  return { ...trace, writing: { role, text: before + text } };
}

function noted(trace: Trace, text: string): Trace {
  return { ...trace, notes: [...trace.notes, { after: trace.attempts.length, text }] };
}

function proposed(trace: Trace, event: TraceEvent & { type: "candidate" }): Trace {
  const attempt: Attempt = {
    id: event.id,
    sql: event.sql,
    origin: event.origin,
    note: event.note ?? "",
    repeats: event.repeats ?? null,
    seconds: event.seconds ?? null,
    tokens: event.tokens ?? null,
    run: null,
    review: null,
    findings: null,
    decision: null,
    unchecked: "",
  };
  const standing = trace.standing ?? event.id;
  return { ...trace, attempts: [...trace.attempts, attempt], standing, writing: null, waiting: "Running the query" };
}

/** Change the last attempt of that id. */
function changed(trace: Trace, id: number, fields: Partial<Attempt>, waiting: string): Trace {
  const place = trace.attempts.findLastIndex((attempt) => attempt.id === id);
  const attempts = trace.attempts.map((attempt, index) => (index === place ? { ...attempt, ...fields } : attempt));
  return { ...trace, attempts, waiting };
}

function decided(trace: Trace, decision: StoredDecision): Trace {
  const after = changed(trace, decision.challenger, { decision }, "Choosing what to do next");
  return { ...after, standing: decision.displaced ? decision.challenger : decision.incumbent };
}

function runOf(event: TraceEvent & { type: "executed" }): Run {
  return {
    ok: event.ok,
    kind: event.kind,
    message: event.message,
    rowCount: event.row_count,
    seconds: event.seconds,
  };
}

function findingsOf(found: readonly Record<string, unknown>[]): Finding[] {
  return found as unknown as Finding[];
}

function attemptOf(query: StoredQuery, decisions: readonly StoredDecision[]): Attempt {
  const ran = query.execution;
  return {
    id: query.id,
    sql: query.sql ?? "",
    origin: query.origin ?? "",
    note: query.note ?? "",
    repeats: query.repeats ?? null,
    seconds: null,
    tokens: query.tokens ?? null,
    run: ran ? { ...ran, rowCount: ran.row_count } : null,
    review:
      query.verdict && (query.p_true != null || query.verdict !== "unknown")
        ? { reading: query.p_true ?? null, verdict: query.verdict, seconds: null }
        : null,
    findings: query.findings ?? null,
    decision: decisions.findLast((decision) => decision.challenger === query.id) ?? null,
    unchecked: "",
  };
}
