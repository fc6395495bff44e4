/** Conversations on the server, over the LangGraph API. */

import { Client } from "@langchain/langgraph-sdk";
import type { TraceEvent } from "../trace/events";
import { authorization, ORIGIN } from "./http";
import type { Decision, Values } from "./types";

const ASSISTANT = "assistant";
const OURS = { page: "critiql" };
const LISTED = 50;
const TURNS_READ = 200;

/** What one run is told beside the question. */
export interface RunSettings {
  model?: string;
  approve: boolean;
  clarify: boolean;
}

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
  said: { message: string; database: string } | { decision: Decision },
  settings: RunSettings,
  signal: AbortSignal,
): AsyncGenerator<Part> {
  const given =
    "decision" in said
      ? { command: { resume: { decisions: [said.decision] } } }
      : { input: { messages: [{ role: "user", content: said.message }], database: said.database } };
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

/** The state at the end of each turn, the oldest first, and what the server still asks. */
export async function readThread(thread: string): Promise<{ ends: Values[]; database: string }> {
  const [states, found] = await Promise.all([
    client().threads.getHistory<Values>(thread, { limit: TURNS_READ }),
    client().threads.get<Values>(thread),
  ]);
  const ends = states.filter((state, index) => state.next.length === 0 || index === 0).map((state) => {
    const asked = state.tasks.flatMap((task) => task.interrupts ?? []) as Values["__interrupt__"];
    return asked?.length ? { ...state.values, __interrupt__: asked } : state.values;
  });
  return { ends: ends.reverse(), database: String(found.metadata?.["database"] ?? "") };
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
