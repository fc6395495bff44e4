/** SQL that can be edited: highlighting, completion from the schema, errors underlined. */

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import { sql } from "@codemirror/lang-sql";
import { setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { type Ref, useEffect, useImperativeHandle, useRef } from "react";
import type { Finding, Schema } from "../api/types";
import { useLatest } from "../common/hooks";
import { completionOf, diagnosticsOf, dialectOf, LOOK, shadowOf } from "./editor";

/** What others may do with an editor. */
export interface EditorHandle {
  insert: (text: string) => void;
  focus: () => void;
}

interface Props {
  value: string;
  onChange?: (text: string) => void;
  onRun?: () => void;
  findings?: readonly Finding[];
  schema?: Schema | null;
  dialect?: string;
  label: string;
  ref?: Ref<EditorHandle>;
}

export function SqlEditor({ value, onChange, onRun, findings = [], schema = null, dialect = "", label, ref }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const language = useRef(new Compartment());
  const latest = useLatest({ value, onChange, onRun });
  const typed = useRef<string[]>([]);
  const outside = useRef(false);

  useEffect(() => {
    const root = shadowOf(host.current!);
    const run = () => {
      latest.current.onRun?.();
      return true;
    };
    view.current = new EditorView({
      parent: root,
      root,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          Prec.highest(keymap.of([{ key: "Mod-Enter", run }])),
          history(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
          language.current.of([]),
          LOOK,
          EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged || outside.current) return;
            const text = update.state.doc.toString();
            typed.current.push(text);
            latest.current.onChange?.(text);
          }),
        ],
      }),
    });
    return () => view.current?.destroy();
  }, [label, latest]);

  useEffect(() => {
    const support = sql({ dialect: dialectOf(dialect), schema: completionOf(schema), upperCaseKeywords: true });
    view.current?.dispatch({ effects: language.current.reconfigure(support) });
  }, [dialect, schema]);

  useEffect(() => {
    const shown = view.current;
    // What was typed comes back as the value, perhaps after more was typed: only another text is put in.
    const echo = typed.current.indexOf(value);
    typed.current.splice(0, echo + 1);
    if (!shown || echo >= 0 || shown.state.doc.toString() === value) return;
    typed.current = [];
    outside.current = true;
    shown.dispatch({ changes: { from: 0, to: shown.state.doc.length, insert: value } });
    outside.current = false;
  }, [value]);

  useEffect(() => {
    const shown = view.current;
    if (shown) shown.dispatch(setDiagnostics(shown.state, diagnosticsOf(findings, shown.state.doc.toString())));
  }, [findings, value]);

  useImperativeHandle(ref, () => ({
    insert: (text) => {
      const shown = view.current;
      if (!shown) return;
      shown.dispatch(shown.state.replaceSelection(text));
      shown.focus();
    },
    focus: () => view.current?.focus(),
  }));

  return <div ref={host} className="editor" data-testid="editor" />;
}
