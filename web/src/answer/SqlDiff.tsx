/** SQL that is only shown, with what changed since the query before it, and errors underlined. */

import { sql } from "@codemirror/lang-sql";
import { setDiagnostics } from "@codemirror/lint";
import { unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import type { Finding } from "../api/types";
import { visibleLines } from "../common/visible";
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
    const view = new EditorView({
      parent: root,
      root,
      state: EditorState.create({
        doc: visibleLines(text),
        extensions: [
          EditorState.readOnly.of(true),
          EditorView.editable.of(false),
          sql({ dialect: dialectOf(dialect) }),
          compared ? unifiedMergeView({ original: visibleLines(before), mergeControls: false, gutter: false }) : [],
          LOOK,
          EditorView.contentAttributes.of({ "aria-label": label, role: "textbox", tabindex: "0" }),
        ],
      }),
    });
    if (visibleLines(text) === text) view.dispatch(setDiagnostics(view.state, diagnosticsOf(findings, text)));
    return () => view.destroy();
  }, [text, before, findings, dialect, label]);
  return <div ref={host} className="editor shown" />;
}
