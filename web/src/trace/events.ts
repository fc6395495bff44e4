/** Generated from events.schema.json by `npm run types`; do not edit. */

export type TraceEvent =
  | Resumed
  | Grounded
  | Exemplified
  | Recalled
  | Abstained
  | Writing
  | Proposed
  | Executed
  | Judged
  | Sensed
  | Detected
  | Localised
  | Refined
  | Assisted
  | Decided
  | Escalated
  | Budget
  | Rewritten
  | Routed
  | Charted
  | Reviewed
  | Answered
  | Failed;

/**
 * A run with checkpoints goes on where a killed one was.
 */
export interface Resumed {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "resumed";
  thread: string;
  next: string[];
}
/**
 * The schema text is ready.
 */
export interface Grounded {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "grounded";
  database: string;
  dialect: string;
  tables: number;
  schema_characters: number;
  pruned: boolean;
  notes: string;
}
/**
 * Which verified pairs, and examples made from the schema, are shown to the roles that write SQL.
 */
export interface Exemplified {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "examples";
  pairs: number;
  shown: number[];
  verified: string[];
  made: string[];
  left_out: string[];
}
/**
 * The question was answered before; the query of then is run again.
 */
export interface Recalled {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "recalled";
  database: string;
  dialect: string;
  sql: string;
  origin: string;
  p_true: number | null;
  verdict: string;
}
/**
 * The question names nothing of the database; no model is asked.
 */
export interface Abstained {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "abstained";
  database: string;
  reason: string;
}
/**
 * A model has written another piece of text.
 */
export interface Writing {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "writing";
  role: string;
  text: string;
}
/**
 * A candidate query appeared.
 */
export interface Proposed {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "candidate";
  id: number;
  sql: string;
  origin: string;
  round: number;
  note: string;
  repeats: number | null;
  seconds: number;
  tokens: number;
}
/**
 * A candidate was run.
 */
export interface Executed {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "executed";
  id: number;
  ok: boolean;
  kind: string | null;
  message: string | null;
  row_count: number;
  seconds: number;
}
/**
 * The LLM critic read a candidate.
 */
export interface Judged {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "judged";
  id: number;
  p_true: number | null;
  verdict: string;
  threshold: number | null;
  seconds: number;
}
/**
 * The semantic detector read a candidate, or says why the rules stand alone.
 */
export interface Sensed {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "sensed";
  id: number;
  source: string;
  types: {
    [k: string]: unknown;
  }[];
  correct: number | null;
  seconds: number;
  error: string;
}
/**
 * The error detector looked at a candidate.
 */
export interface Detected {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "detected";
  id: number;
  findings: {
    [k: string]: unknown;
  }[];
}
/**
 * Where a candidate's errors stand, as the localiser says, or what the refiner is told about them.
 */
export interface Localised {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "localised";
  id: number;
  guidance: string;
  places: {
    [k: string]: unknown;
  }[];
  refused: string[];
  seconds: number;
}
/**
 * The refiner answered.
 */
export interface Refined {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "refined";
  id: number;
  source: number;
  changed: boolean;
}
/**
 * The action assistant repaired a candidate by its steps, or says why it could not.
 */
export interface Assisted {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "assisted";
  id: number;
  trajectory: {
    [k: string]: unknown;
  };
}
/**
 * The incumbent was kept or displaced, and on what evidence.
 */
export interface Decided {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "kept" | "displaced";
  incumbent: number;
  challenger: number;
  reason: string;
  score: number | null;
}
/**
 * The loop ended in doubt; the larger model is asked.
 */
export interface Escalated {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "escalated";
  model: string;
  reason: string;
}
/**
 * A limit ended the loop.
 */
export interface Budget {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "budget";
  limit: string;
  spent: number;
}
/**
 * A message of a conversation as a question by itself.
 */
export interface Rewritten {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "rewritten";
  said: string;
  question: string;
  seconds: number;
}
/**
 * What a turn of a conversation does.
 */
export interface Routed {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "routed";
  tool: string;
  by: "rule" | "model";
  choices: {
    [k: string]: number;
  };
}
/**
 * The last rows as a chart, or why there is none.
 */
export interface Charted {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "charted";
  kind: string | null;
  kinds: string[];
  reason: string;
}
/**
 * What a person decided when asked.
 */
export interface Reviewed {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "reviewed";
  decision: string;
  sql: string;
}
/**
 * The run is over.
 */
export interface Answered {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "answered";
  id: number | null;
  sql: string;
  status: string;
  stopped: string;
}
/**
 * The run is over without an answer.
 */
export interface Failed {
  version: 1;
  seq: number | null;
  at: string | null;
  type: "error";
  kind: string;
  message: string;
  exit_code: number;
}
