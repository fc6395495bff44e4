/** What the page knows of a conversation, and how each part of a run changes it. Pure. */

import type { ChartResult, ChatMessage, Interrupt, Result, Values } from "../api/types";
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
  /** A result was there before this turn, so that one in the state need not be new. */
  answered: boolean;
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
    answered: false,
  };
}

/** A turn after one more event of its trace. */
export function afterEvent(turn: Turn, event: TraceEvent): Turn {
  const trace = withEvent(turn.trace, event);
  const answered = turn.answered || event.type === "answered" || event.type === "abstained";
  return { ...turn, trace, answered, understood: trace.rewritten || turn.understood };
}

/** A turn after a state of the graph; the last one holds the answer. */
export function afterValues(turn: Turn, values: Values): Turn {
  const asked = values.__interrupt__?.[0]?.value ?? null;
  return { ...turn, ...outcome(values, turn.answered), asked };
}

/** A turn whose run has ended. */
export function ended(turn: Turn): Turn {
  const seconds = turn.result?.seconds ?? (Date.now() - turn.began) / 1000;
  return { ...turn, state: turn.asked ? "asking" : "done", seconds, trace: { ...turn.trace, writing: null, waiting: "" } };
}

/** The turns of a conversation that is opened again, from the state at the end of each. */
export function turnsOf(ends: readonly Values[]): Turn[] {
  return ends.filter((values) => values.messages?.length).map((values, index) => reopened(values, index, ends[index - 1]));
}

function reopened(values: Values, key: number, before: Values | undefined): Turn {
  const said = textOf(values.messages?.findLast((message) => isHuman(message)));
  const fresh = JSON.stringify(values.result ?? null) !== JSON.stringify(before?.result ?? null);
  const turn = { ...newTurn(key, said), ...outcome(values, fresh), began: 0 };
  const result = turn.result;
  return {
    ...turn,
    trace: result ? traceOfResult(result) : { ...NOTHING, waiting: "" },
    understood: values.rewritten && values.question ? values.question : "",
    asked: values.__interrupt__?.[0]?.value ?? null,
    state: values.__interrupt__?.length ? "asking" : "done",
    seconds: result?.seconds ?? null,
  };
}

/** What of a state belongs to this turn. */
function outcome(values: Values, answered: boolean): Pick<Turn, "result" | "chart" | "reply"> {
  const last = values.messages?.at(-1);
  const charted = values.tool === "chart";
  return {
    result: answered || charted ? (values.result ?? null) : null,
    chart: charted ? (values.chart ?? null) : null,
    reply: last && !isHuman(last) && !answered ? textOf(last) : "",
  };
}

function isHuman(message: ChatMessage): boolean {
  return message.type === "human";
}

function textOf(message: ChatMessage | undefined): string {
  if (!message) return "";
  if (typeof message.content === "string") return message.content;
  return message.content.map((part) => part.text ?? "").join("");
}
