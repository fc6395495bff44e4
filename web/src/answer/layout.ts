/** SQL laid out one clause a line, so that two queries can be compared however they were written. */

import type { Finding } from "../api/types";

const CLAUSE =
  /^(?:select|from|where|group\s+by|having|order\s+by|limit|offset|union|intersect|except|(?:(?:left|right|full)(?:\s+outer)?\s+|inner\s+|cross\s+|natural\s+)?join|and|or)\b/i;
const QUOTES: Record<string, string> = { "'": "'", '"': '"', "`": "`", "[": "]" };

export interface Laid {
  text: string;
  findings: Finding[];
}

/** Lay out a query; one with comments stays as it is, since a line's end may end a comment. */
export function laidOut(text: string, findings: readonly Finding[] = []): Laid {
  if (text.includes("--") || text.includes("/*")) return { text, findings: [...findings] };
  const characters = [...text];
  const places: number[] = [];
  let out = "";
  let length = 0;
  const put = (piece: string) => {
    out += piece;
    length += [...piece].length;
  };
  for (let at = 0; at < characters.length; ) {
    const character = characters[at]!;
    const end = QUOTES[character];
    if (end) {
      const close = closing(characters, at + 1, end);
      for (let inside = at; inside < close; inside++) {
        places[inside] = length;
        put(characters[inside]!);
      }
      at = close;
    } else if (/\s/.test(character)) {
      const from = at;
      while (at < characters.length && /\s/.test(characters[at]!)) places[at++] = length;
      const rest = characters.slice(at, at + 24).join("");
      if (from > 0 && rest) put(CLAUSE.test(rest) ? "\n" : " ");
    } else {
      places[at++] = length;
      put(character);
    }
  }
  places[characters.length] = length;
  return { text: out, findings: findings.map((finding) => moved(finding, places)) };
}

function closing(characters: readonly string[], from: number, end: string): number {
  const found = characters.indexOf(end, from);
  return found < 0 ? characters.length : found + 1;
}

/** A finding whose span is where its text now stands. */
function moved(finding: Finding, places: readonly number[]): Finding {
  if (!finding.span) return finding;
  const [start, end] = finding.span;
  const [from, last] = [places[start], places[end - 1]];
  return from === undefined || last === undefined ? { ...finding, span: null } : { ...finding, span: [from, last + 1] };
}
