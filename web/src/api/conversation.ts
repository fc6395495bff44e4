/** Conversations on the server, over the LangGraph API. */

import { Client } from "@langchain/langgraph-sdk";
import type { TraceEvent } from "../trace/events";
import { authorization, ORIGIN } from "./http";
import type { Decision, Interrupt, Values } from "./types";

const ASSISTANT = "assistant";
const OURS = { page: "critiql" };
const LISTED = 50;

/** What one run is told beside the question. */
export interface RunSettings {
  model?: string;
  approve: boolean;
  clarify: boolean;
}

/** A message, with SQL to start from where one is to be mended; or the answer to what the server asked. */
export type Said = { message: string; database: string; draft?: string } | { decision: Decision };

/** What a run sends while it goes. */
export type Part =
  | { type: "run"; id: string }
  | { type: "event"; event: TraceEvent }
  | { type: "values"; values: Values };

export interface Listed {
  id: string;
  title: string;
  database: string;
  updated: string;
}

function client(): Client<Values> {
  return new Client<Values>({ apiUrl: ORIGIN, apiKey: null, defaultHeaders: authorization() });
}

/** Open a conversation; its first question is its title. */
export async function openThread(title: string, database: string): Promise<string> {
  const thread = await client().threads.create({ metadata: { ...OURS, title: title.slice(0, 120), database } });
  return thread.thread_id;
}

/** Say something, or answer what the server asked. */
export async function* converse(
  thread: string,
  said: Said,
  settings: RunSettings,
  signal: AbortSignal,
): AsyncGenerator<Part> {
  const given =
    "decision" in said
      ? { command: { resume: { decisions: [said.decision] } } }
      : {
          input: {
            messages: [{ type: "human", content: said.message }],
            database: said.database,
            draft: said.draft ?? "",
          },
        };
  const stream = client().runs.stream(thread, ASSISTANT, {
    ...given,
    context: { ...settings },
    streamMode: ["custom", "values"],
    onDisconnect: "cancel",
    multitaskStrategy: "reject",
    signal,
  });
  for await (const part of stream) {
    const data = part.data as never;
    if (part.event === "metadata") yield { type: "run", id: (data as { run_id: string }).run_id };
    else if (part.event === "custom") yield { type: "event", event: unwrapped(data) };
    else if (part.event === "values") yield { type: "values", values: data };
    else if ((part.event as string) === "error") throw new Error(saidBy(data));
  }
}

/** Stop a run that goes on. */
export async function stopRun(thread: string, run: string): Promise<void> {
  await client().runs.cancel(thread, run);
}

/** The conversations of this page on this server, the newest first. */
export async function listThreads(): Promise<Listed[]> {
  const threads = await client().threads.search({
    metadata: OURS,
    limit: LISTED,
    sortBy: "updated_at",
    sortOrder: "desc",
    select: ["thread_id", "metadata", "updated_at"],
  });
  return threads.map((thread) => ({
    id: thread.thread_id,
    title: String(thread.metadata?.["title"] ?? "Untitled"),
    database: String(thread.metadata?.["database"] ?? ""),
    updated: thread.updated_at,
  }));
}

/** Where a conversation stands, with what the server still asks, and its database. */
export async function readThread(thread: string): Promise<{ values: Values; database: string }> {
  const [state, found] = await Promise.all([
    client().threads.getState<Values>(thread),
    client().threads.get<Values>(thread),
  ]);
  const asked = state.tasks.flatMap((task) => task.interrupts ?? []) as Values["__interrupt__"];
  const values = asked?.length ? { ...state.values, __interrupt__: asked } : state.values;
  return { values, database: String(found.metadata?.["database"] ?? "") };
}

/** What the server asks, as the dialogs draw it. */
export function askedOf(values: Values): Interrupt | null {
  const review = values.__interrupt__?.[0]?.value;
  const action = review?.action_requests[0];
  if (!review || !action) return null;
  const { message, question = "" } = review;
  const { readings = [], sql = "" } = action.args;
  return action.name === "clarify" ? { type: "clarify", message, readings } : { type: "approve", message, question, sql };
}

/** Forget a conversation on the server. */
export async function deleteThread(thread: string): Promise<void> {
  await client().threads.delete(thread);
}

/** Some servers wrap what the graph wrote. */
function unwrapped(data: TraceEvent | { payload: TraceEvent }): TraceEvent {
  return "payload" in data ? data.payload : data;
}

function saidBy(data: { message?: string; error?: string }): string {
  return data.message || data.error || "The server ended the run with an error.";
}
