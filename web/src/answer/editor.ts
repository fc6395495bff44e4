/** What every SQL view shares: highlighting, colours from the page, and errors underlined. */

import { defaultHighlightStyle, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { MSSQL, MySQL, PostgreSQL, SQLite, type SQLDialect, StandardSQL } from "@codemirror/lang-sql";
import type { Diagnostic } from "@codemirror/lint";
import { type Extension } from "@codemirror/state";
import { EditorView, highlightSpecialChars } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Finding, Schema } from "../api/types";
import { escaped, HIDDEN_IN_LINES, visible } from "../common/visible";
import { typeName } from "../trace/words";

const DIALECTS: Record<string, SQLDialect> = {
  sqlite: SQLite,
  postgres: PostgreSQL,
  postgresql: PostgreSQL,
  duckdb: PostgreSQL,
  mysql: MySQL,
  mariadb: MySQL,
  mssql: MSSQL,
};

/** The editor's dialect for that of a database. */
export function dialectOf(name: string): SQLDialect {
  return DIALECTS[name.toLowerCase()] ?? StandardSQL;
}

/** Tables with their columns, as completion wants them. */
export function completionOf(schema: Schema | null): Record<string, string[]> {
  const tables = schema?.tables ?? [];
  return Object.fromEntries(tables.map((table) => [table.name, table.columns.map((column) => column.name)]));
}

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--sql-keyword)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--sql-text)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--sql-number)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: tags.typeName, color: "var(--sql-type)" },
]);

const theme = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "transparent", fontSize: "0.875rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--ink)", padding: "0.5rem 0" },
  ".cm-line": { padding: "0 0.75rem" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--selection)",
  },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    color: "var(--ink)",
    border: "1px solid var(--line)",
    borderRadius: "6px",
    maxWidth: "32rem",
  },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-diagnostic": { padding: "0.35rem 0.6rem", whiteSpace: "pre-wrap" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warn)" },
  ".cm-lintRange-error, .cm-lintRange-warning": {
    backgroundImage: "none",
    textDecoration: "underline wavy 1.5px",
    textUnderlineOffset: "3px",
    textDecorationSkipInk: "none",
  },
  ".cm-lintRange-error": { textDecorationColor: "var(--bad)" },
  ".cm-lintRange-warning": { textDecorationColor: "var(--warn)" },
  ".cm-deletedChunk": { backgroundColor: "var(--gone)", padding: "0 0.75rem" },
  ".cm-deletedChunk .cm-deletedText, .cm-deletedText": {
    background: "var(--gone-strong)",
    textDecoration: "line-through",
    borderRadius: "2px",
  },
  ".cm-changedLine, .cm-insertedLine": { backgroundColor: "var(--fresh) !important" },
  ".cm-changedText, ins.cm-insertedLine": {
    background: "var(--fresh-strong) !important",
    textDecoration: "none",
    borderRadius: "2px",
  },
  ".cm-hidden": { color: "var(--bad)" },
  ".cm-collapsedLines": {
    background: "var(--sunken)",
    color: "var(--muted)",
    padding: "2px 0.75rem",
  },
});

/** A hidden character in a query as its escape; the text that runs stays as it is. */
function shownEscape(code: number): HTMLElement {
  const shown = document.createElement("span");
  shown.className = "cm-hidden";
  shown.textContent = escaped(String.fromCodePoint(code));
  return shown;
}

/** Look of every SQL view. */
export const LOOK: Extension = [
  theme,
  highlightSpecialChars({ specialChars: HIDDEN_IN_LINES, render: shownEscape }),
  syntaxHighlighting(colours),
  syntaxHighlighting(defaultHighlightStyle, { fallback: true }),
  EditorView.lineWrapping,
];

/** Errors as marks under the text; one without a place is told beside the editor only. */
export function diagnosticsOf(findings: readonly Finding[], text: string): Diagnostic[] {
  return findings.flatMap((finding) => {
    if (!finding.span) return [];
    const [from, to] = finding.span.map((offset) => unitsBefore(text, offset)) as [number, number];
    if (from >= to || to > text.length) return [];
    const message = visible([finding.explanation, finding.suggestion].filter(Boolean).join(" "));
    const likely = finding.source === "head" || finding.source === "prompt";
    return [{ from, to, severity: likely ? ("warning" as const) : ("error" as const), source: typeName(finding), message }];
  });
}

/** Offsets come in characters; the browser counts a character beyond the basic plane as two. */
function unitsBefore(text: string, characters: number): number {
  let units = 0;
  for (const character of text) {
    if (characters-- <= 0) break;
    units += character.length;
  }
  return units;
}

/**
 * The root an editor lives in. In a shadow root its styles are adopted style sheets, which a strict policy
 * allows; in the page itself they would be <style> elements, which it forbids.
 */
export function shadowOf(host: HTMLElement): ShadowRoot {
  return host.shadowRoot ?? host.attachShadow({ mode: "open" });
}
