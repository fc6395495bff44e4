/** Markdown, loaded when first needed; until then the text as it is. */

import { lazy, Suspense } from "react";
import { visibleLines } from "./visible";

const Markdown = lazy(() => import("./Markdown"));

export function Prose({ text }: { text: string }) {
  return (
    <Suspense fallback={<p className="prose plain">{visibleLines(text)}</p>}>
      <Markdown text={text} />
    </Suspense>
  );
}

/** A sentence of the server without the backslashes that keep Markdown from reading it. */
export function unmarked(text: string): string {
  return visibleLines(text.replace(/\\([\\`*_{}[\]()<>#|~!&$@:.])/g, "$1"));
}
