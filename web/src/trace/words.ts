/** The trace in plain words. Nothing here needs to be looked up by a person who asks a question. */

import type { Finding, Status, StoredDecision } from "../api/types";
import { counted, seconds } from "../common/format";
import type { Attempt, Run } from "./trace";

/** Numbers that a person reads start at 1. */
export const queryNumber = (id: number): string => `Query ${id + 1}`;

const ORIGINS: Record<string, string> = {
  given: "the one you gave",
  actor: "written by the model",
  repair: "mended by rule",
  refiner: "mended by the model",
  regeneration: "written again from its steps",
  escalation: "written by the larger model",
};

/** Where a query comes from. */
export function origin(attempt: Attempt): string {
  return ORIGINS[attempt.origin] ?? attempt.origin;
}

const ROLES: Record<string, string> = {
  actor: "Writing",
  second: "Writing, second model",
  llm_critic: "Looking over",
  error_detector: "Looking for errors",
  refiner: "Mending",
  action_assistant: "Mending by steps",
  escalation: "Writing, larger model",
  rewriter: "Reading the question",
  router: "Reading the question",
  assistant: "Reading the question",
};

/** What a model's call was for. */
export function roleName(role: string): string {
  return ROLES[role] ?? role.replaceAll("_", " ");
}

/** How running went, in a few words. */
export function outcome(run: Run): string {
  if (!run.ok) return errorTitle(run.kind);
  if (run.rowCount === 0) return "no rows";
  return counted(run.rowCount, "row");
}

const ERRORS: Record<string, string> = {
  syntax: "not valid SQL",
  no_such_table: "no such table",
  no_such_column: "no such column",
  ambiguous_column: "ambiguous column",
  no_such_function: "no such function",
  misuse: "function in the wrong place",
  type: "types do not fit",
  denied: "not allowed",
  timeout: "took too long",
  memory: "needed too much memory",
  too_large: "too large",
  several_statements: "more than one statement",
  empty: "empty query",
  locked: "database is locked",
  cancelled: "stopped",
  connection: "no connection",
  worker_died: "the database process ended",
};

/** A failure's kind in a few words. */
export function errorTitle(kind: string | null | undefined): string {
  return (kind && ERRORS[kind]) || "failed";
}

/** An error type's name: `value_error` is "Value error". */
export function typeName(finding: Finding): string {
  const name = finding.name ?? finding.type.replaceAll("_", " ");
  return name.charAt(0).toUpperCase() + name.slice(1).toLowerCase();
}

/** What the model said on a second look. */
export function reviewWords(attempt: Attempt): string {
  const review = attempt.review;
  if (!review) return "";
  if (review.reading === null) return "The model's second look gave no reading.";
  const sure = `${Math.round(review.reading * 100)} of 100`;
  if (review.verdict === "accepted") return `On a second look the model holds it for right (${sure}).`;
  if (review.verdict === "rejected") return `On a second look the model doubts it (${sure}).`;
  return `On a second look the model gives it ${sure}.`;
}

/** Which query stands after a comparison, and why. */
export function decisionWords(decision: StoredDecision): string {
  const [old, fresh] = [queryNumber(decision.incumbent), queryNumber(decision.challenger)];
  const head = decision.displaced ? `${fresh} replaces ${old}` : `${old} stays`;
  return `${head}: ${plainReason(decision.reason, old, fresh)}.`;
}

/** A reason of the rule that weighs two queries, without its terms. */
export function plainReason(reason: string, old: string, fresh: string): string {
  return reason
    .replace(/^score (\S+) against margin (\S+)$/, "weighed $1, where more than $2 is needed to replace it")
    .replace(/\bagreement\b/g, "what other queries return")
    .replace(/\bfindings?\b/g, "errors that were found")
    .replace(/\bsurprises?\b/g, "odd rows")
    .replace(/^neither (.*) nor a(?:n)? (.*) for the challenger$/, `neither $1 nor $2 speaks for ${fresh}`)
    .replace(/ for the challenger\b/, ` speaks for ${fresh}`)
    .replace(/ against the challenger\b/, ` speaks against ${fresh}`)
    .replace(/\bthe challenger\b/g, fresh)
    .replace(/\bthe incumbent\b/g, old)
    .replace(/\bdoes not execute\b/, "does not run")
    .replace(/\bthe critic prefers\b/, "the model's second look prefers");
}

/** What a status means for the person who asked. */
export const STATUS: Record<Status, { title: string; meaning: string }> = {
  accepted: { title: "Checked", meaning: "The query ran, and every check agrees with it." },
  unverified: { title: "Not confirmed", meaning: "The query ran, but the checks did not confirm it. Look at the SQL." },
  failed: { title: "Failed", meaning: "No query gave rows. The last one and its error are below." },
  abstained: { title: "Not answered", meaning: "The question seems to be about something that this database does not hold." },
};

export const NOT_RUN = { title: "Not run", meaning: "This query was not run, so there are no rows." };

/** Why the search for an answer ended, where that is worth saying. */
export const STOPPED: Record<string, string> = {
  rounds: "It stopped after the number of tries that is allowed.",
  seconds: "It stopped at the time that is allowed.",
  tokens: "It stopped at the number of tokens that is allowed.",
  no_progress: "It stopped because the same queries came again.",
  model_failed: "The model stopped answering; this is the best query until then.",
  recalled: "This question was answered before; the same query ran again.",
  critic_off: "The second look is switched off.",
};

/** Seconds and tokens of a query, where they are known. */
export function cost(attempt: Attempt): string {
  const parts = [];
  if (attempt.seconds) parts.push(seconds(attempt.seconds));
  if (attempt.tokens) parts.push(counted(attempt.tokens, "token"));
  return parts.join(", ");
}
