/** The server's routes, one function each. */

import { get, post, postFor, request } from "./http";
import type {
  About,
  Cell,
  ChartResult,
  CheckResult,
  DatabaseName,
  MachineStatus,
  RefineResult,
  RunResult,
  Schema,
  VerifiedPair,
} from "./types";

export const fetchAbout = () => get<About>("/api/about");
export const fetchStatus = () => get<MachineStatus>("/api/status");
export const fetchSchema = (database: string, signal?: AbortSignal) =>
  get<Schema>(`/api/databases/${encodeURIComponent(database)}/schema`, {}, signal);

export const runSql = (database: string, sql: string, signal?: AbortSignal) =>
  post<RunResult>("/api/run", { database, sql }, signal);
export const checkSql = (database: string, sql: string, question: string, signal?: AbortSignal) =>
  post<CheckResult>("/api/check", { database, sql, question }, signal);
export const refineSql = (database: string, sql: string, question: string, signal?: AbortSignal) =>
  post<RefineResult>("/api/refine", { database, sql, question }, signal);
export const drawChart = (columns: string[], rows: Cell[][], kind?: string, signal?: AbortSignal) =>
  post<ChartResult>("/api/chart", { columns, rows, ...(kind ? { kind } : {}) }, signal);

export const fetchPairs = (database: string) => get<VerifiedPair[]>("/api/memory", { database });
export const addPair = (pair: { database: string; question: string; sql: string; who: string }) =>
  post<VerifiedPair>("/api/memory", pair);
export const removePair = (id: VerifiedPair["id"]) =>
  request(`/api/memory/${encodeURIComponent(String(id))}`, { method: "DELETE" });

/** All rows of a query as a file; `truncated` where even the file's cap cut them. */
export async function exportRows(
  database: string,
  sql: string,
  format: "csv" | "json",
): Promise<{ file: Blob; truncated: boolean }> {
  const answer = await postFor("/api/export", { database, sql, format });
  return { file: await answer.blob(), truncated: answer.headers.get("X-Critiql-Truncated") === "true" };
}

/** Give the server a database file; only where it says that it takes any. */
export async function uploadDatabase(file: File): Promise<DatabaseName> {
  const answer = await request(`/api/upload?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
  return (await answer.json()) as DatabaseName;
}
