/** What the page knows of a conversation, and how each part of a run changes it. Pure. */

import { askedOf } from "../api/conversation";
import type { ChartResult, Interrupt, Result, StoredTurn, Values } from "../api/types";
import { NOTHING, type Trace, traceOfResult, withEvent } from "../trace/trace";
import type { TraceEvent } from "../trace/events";

/** One question, or remark, with what came of it. */
export interface Turn {
  key: number;
  said: string;
  /** The question that was answered, where it differs from what was said. */
  understood: string;
  state: "running" | "asking" | "done" | "stopped" | "failed";
  trace: Trace;
  result: Result | null;
  chart: ChartResult | null;
  /** What the assistant said, as Markdown; empty where the result says it. */
  reply: string;
  asked: Interrupt | null;
  error: string;
  /** Milliseconds since the epoch. */
  began: number;
  seconds: number | null;
}

export function newTurn(key: number, said: string): Turn {
  return {
    key,
    said,
    understood: "",
    state: "running",
    trace: NOTHING,
    result: null,
    chart: null,
    reply: "",
    asked: null,
    error: "",
    began: Date.now(),
    seconds: null,
  };
}

/** A turn after one more event of its trace. */
export function afterEvent(turn: Turn, event: TraceEvent): Turn {
  const trace = withEvent(turn.trace, event);
  return { ...turn, trace, understood: trace.rewritten || turn.understood };
}

/** A turn after a state of the graph; the last one holds the answer, earlier ones may hold the turn before. */
export function afterValues(turn: Turn, values: Values): Turn {
  return { ...turn, ...outcome(values), asked: askedOf(values) };
}

/** A turn whose run has ended. */
export function ended(turn: Turn): Turn {
  const trace = { ...turn.trace, writing: null, waiting: "" };
  const seconds = turn.result?.seconds ?? (Date.now() - turn.began) / 1000;
  const state = turn.asked ? "asking" : turn.error ? "failed" : "done";
  return { ...turn, state, seconds, trace };
}

/** The turns of a conversation that is opened again. */
export function turnsOf(values: Values): Turn[] {
  const kept = (values.turns ?? []).map(reopened);
  const asked = askedOf(values);
  const last = kept.at(-1);
  if (asked) kept.push({ ...newTurn(kept.length, values.said ?? ""), asked, state: "asking" });
  else if (last) kept[kept.length - 1] = { ...last, ...outcome(values), state: values.problem ? "failed" : "done" };
  return kept;
}

const KEPT_ROWS = 100;

function reopened(turn: StoredTurn, key: number): Turn {
  const cut = turn.answer && turn.answer.rows.length >= KEPT_ROWS;
  const result = cut ? { ...turn.answer!, truncated: true } : turn.answer;
  return {
    ...newTurn(key, turn.said),
    understood: turn.question === turn.said ? "" : turn.question,
    trace: result ? traceOfResult(result) : { ...NOTHING, waiting: "" },
    result,
    chart: turn.chart,
    reply: replyOf(turn.text, turn.answer),
    state: "done",
    began: 0,
    seconds: result?.seconds ?? null,
  };
}

/** What a state says of the turn it ends. */
function outcome(values: Values): Pick<Turn, "result" | "chart" | "reply" | "error"> {
  const charted = values.tool === "chart" && values.chart?.spec;
  const result = values.answer ?? (charted ? values.last : null) ?? null;
  const reply = replyOf(values.text ?? "", values.answer ?? null);
  return { result, chart: values.chart ?? null, reply, error: values.problem?.message ?? "" };
}

/** The turn's text, where the answer does not say the same by itself. */
function replyOf(text: string, answer: Result | null): string {
  return answer?.columns.length || answer?.status === "failed" ? "" : text;
}
