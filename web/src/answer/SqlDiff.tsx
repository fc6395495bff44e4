/** SQL that is only shown, with what changed since the query before it, and errors underlined. */

import { sql } from "@codemirror/lang-sql";
import { setDiagnostics } from "@codemirror/lint";
import { unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import type { Finding } from "../api/types";
import { visibleLines } from "../common/visible";
import { laidOut } from "./layout";
import { diagnosticsOf, dialectOf, LOOK, shadowOf } from "./editor";

interface Props {
  text: string;
  /** The query before; empty: nothing to compare with. */
  before?: string;
  findings?: readonly Finding[];
  dialect?: string;
  label: string;
}

const NONE: readonly Finding[] = [];

export function SqlDiff({ text, before = "", findings = NONE, dialect = "", label }: Props) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const root = shadowOf(host.current!);
    const compared = before && before !== text;
    // What is compared is laid out alike; what is only shown stays as it was written.
    const shown = compared ? laidOut(text, findings) : { text, findings };
    const view = new EditorView({
      parent: root,
      root,
      state: EditorState.create({
        doc: visibleLines(shown.text),
        extensions: [
          EditorState.readOnly.of(true),
          EditorView.editable.of(false),
          sql({ dialect: dialectOf(dialect) }),
          compared
            ? unifiedMergeView({ original: visibleLines(laidOut(before).text), mergeControls: false, gutter: false })
            : [],
          LOOK,
          EditorView.contentAttributes.of({ "aria-label": label, role: "textbox", tabindex: "0" }),
        ],
      }),
    });
    if (visibleLines(shown.text) === shown.text)
      view.dispatch(setDiagnostics(view.state, diagnosticsOf(shown.findings, shown.text)));
    return () => view.destroy();
  }, [text, before, findings, dialect, label]);
  return <div ref={host} className="editor shown" />;
}
