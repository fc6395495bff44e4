/** What the server's routes take and give. The events of the trace are in trace/events.ts, which is generated. */

export type Cell = string | number | boolean | null;

export interface Info {
  version: string;
  model: string;
  models: string[];
  uploads: boolean;
  refine: boolean;
  memory_mb: number | null;
  tokens_per_second: number | null;
  settings?: { approve?: boolean; clarify?: boolean };
}

export interface DatabaseName {
  name: string;
  dialect: string;
}

export interface SchemaColumn {
  name: string;
  type: string;
  nullable?: boolean;
  primary_key: boolean;
  comment?: string | null;
  references: { table: string; column: string } | null;
}

export interface SchemaTable {
  name: string;
  view: boolean;
  rows: number | null;
  comment?: string | null;
  columns: SchemaColumn[];
}

export interface Schema {
  database: string;
  dialect: string;
  tables: SchemaTable[];
  hidden?: { tables: number; columns: number } | null;
}

/** One typed error, as the trace and `/api/check` give it. */
export interface Finding {
  type: string;
  name?: string;
  source: string;
  explanation: string;
  suggestion?: string;
  probability?: number;
  /** Start and end in the SQL text, counted in characters. */
  span: [number, number] | null;
}

export type RunResult =
  | { ok: true; sql: string; columns: string[]; rows: Cell[][]; truncated: boolean; seconds: number }
  | { ok: false; sql: string; kind: string; message: string; name?: string | null; seconds: number };

export interface CheckResult {
  sql: string;
  findings: Finding[];
  execution?: { ok: boolean; kind?: string | null; message?: string | null; row_count?: number } | null;
}

export interface RefineResult {
  sql: string;
  changed: boolean;
  findings: Finding[];
  seconds: number;
}

export interface ChartResult {
  spec: Record<string, unknown> | null;
  kind?: string;
  kinds: string[];
  reason: string;
}

export interface VerifiedPair {
  id: string | number;
  question: string;
  sql: string;
  database: string;
  by: string;
  at: string;
}

export interface Execution {
  ok: boolean;
  kind: string | null;
  message: string | null;
  columns: string[];
  rows: Cell[][];
  row_count: number;
  truncated: boolean;
  seconds: number;
}

/** A query that was tried, as the answer keeps it. */
export interface StoredQuery {
  id: number;
  sql?: string;
  origin?: string;
  round?: number;
  note?: string;
  repeats?: number | null;
  tokens?: number;
  execution?: Execution | null;
  p_true?: number | null;
  verdict?: string;
  findings?: Finding[];
}

export interface StoredDecision {
  incumbent: number;
  challenger: number;
  displaced: boolean;
  reason: string;
  score: number | null;
}

export interface ModelCall {
  role: string;
  model: string;
  operation?: string;
  prompt_tokens: number;
  cached_tokens: number;
  generated_tokens: number;
  seconds: number;
}

export type Status = "accepted" | "unverified" | "failed" | "abstained";

/** The answer to a question, with everything that led to it. */
export interface Result {
  question: string;
  sql: string;
  columns: string[];
  rows: Cell[][];
  truncated: boolean;
  status: Status;
  stopped: string;
  /** Calibrated probability of being right; null is unknown, which is not zero. */
  confidence: number | null;
  in_words: string;
  assumptions: string[];
  candidates: StoredQuery[];
  decisions: StoredDecision[];
  incumbent: number | null;
  calls: ModelCall[];
  seconds?: number | null;
  other?: { words: string; sql: string } | null;
}

export interface ChatMessage {
  type: string;
  content: string | { type: string; text?: string }[];
}

/** The state of a conversation. */
export interface Values {
  messages?: ChatMessage[];
  question?: string;
  rewritten?: boolean;
  tool?: string;
  database?: string;
  result?: Result | null;
  chart?: ChartResult | null;
  __interrupt__?: { id?: string; value: Interrupt }[];
}

export interface Reading {
  reading: number;
  words: string;
  sql: string;
  columns: string[];
  rows: Cell[][];
  row_count: number;
}

/** What the server asks the person. */
export type Interrupt =
  | { type: "clarify"; message: string; readings: Reading[] }
  | { type: "approve"; message: string; question: string; sql: string };

export type Decision =
  | { type: "approve" }
  | { type: "reject"; message?: string }
  | { type: "respond"; message: string }
  | { type: "edit"; edited_action: { name: string; args: Record<string, unknown> } };
