/** What the server's routes take and give. The events of the trace are in trace/events.ts, which is generated. */

export type Cell = string | number | boolean | null;

/** What the server is and offers. */
export interface About {
  version: string;
  databases: DatabaseName[];
  default_database: string;
  upload: boolean;
  memory: boolean;
  refine: boolean;
  model: { name: string; local: boolean };
  models?: string[];
}

/** How the machine is doing; null is unknown. */
export interface MachineStatus {
  model: string;
  loaded: boolean | null;
  tokens_per_second: number | null;
  memory_bytes: number | null;
}

export interface DatabaseName {
  name: string;
  /** null: it cannot be opened, and `problem` says why. */
  dialect: string | null;
  problem?: string | null;
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
  kind: string;
  rows: number | null;
  comment?: string | null;
  columns: SchemaColumn[];
}

export interface Schema {
  name: string;
  dialect: string;
  tables: SchemaTable[];
  questions?: string[];
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

export interface RunResult {
  ok: boolean;
  sql: string;
  columns: string[];
  rows: Cell[][];
  truncated: boolean;
  seconds: number;
  kind: string | null;
  message: string | null;
}

export interface CheckResult {
  sql: string;
  findings: Finding[];
  error?: { kind: string; message: string } | null;
}

export interface RefineResult {
  after: string;
  reason: string;
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
  who: string;
  when: string;
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

/** One turn as the server keeps it; its rows are cut. */
export interface StoredTurn {
  said: string;
  question: string;
  tool: string;
  text: string;
  answer: Result | null;
  chart: ChartResult | null;
}

/** The state of a conversation. */
export interface Values {
  said?: string;
  question?: string;
  tool?: string;
  text?: string;
  database?: string;
  answer?: Result | null;
  /** The newest answer with rows, which a chart speaks of. */
  last?: Result | null;
  chart?: ChartResult | null;
  problem?: { kind: string; message: string } | null;
  turns?: StoredTurn[];
  __interrupt__?: { id?: string; value: Review }[];
}

/** What the server asks, in the shape that LangChain's clients draw. */
export interface Review {
  message: string;
  question?: string;
  action_requests: { name: string; args: { sql?: string; readings?: Reading[] } }[];
}

export interface Reading {
  title: string;
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
