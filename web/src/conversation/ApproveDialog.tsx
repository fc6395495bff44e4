/** A query that waits for the person's consent. What runs is what is shown. */

import { useState } from "react";
import { SqlEditor } from "../answer/SqlEditor";
import type { Decision, Interrupt, Schema } from "../api/types";
import { Dialog } from "../common/Dialog";
import { unmarked } from "../common/Prose";
import { visibleLines } from "../common/visible";

type Approve = Extract<Interrupt, { type: "approve" }>;

interface Props {
  asked: Approve;
  schema: Schema | null;
  onDecide: (decision: Decision) => void;
  onClose: () => void;
}

export function ApproveDialog({ asked, schema, onDecide, onClose }: Props) {
  const [sql, setSql] = useState(asked.sql);
  const [wish, setWish] = useState("");
  const decide = (event: React.FormEvent) => {
    event.preventDefault();
    if (wish.trim()) onDecide({ type: "respond", message: wish.trim() });
    else if (sql === asked.sql) onDecide({ type: "approve" });
    else onDecide({ type: "edit", edited_action: { name: "run_sql", args: { sql } } });
  };
  return (
    <Dialog title="Run this query?" onClose={onClose} wide>
      <form onSubmit={decide} className="form">
        <p>{unmarked(asked.message)}</p>
        <p className="muted">For the question: {visibleLines(asked.question)}</p>
        <SqlEditor value={sql} onChange={setSql} schema={schema} dialect={schema?.dialect} label="SQL that would run, editable" />
        <label>
          Or say what should be different
          <input value={wish} onChange={(event) => setWish(event.target.value)} />
        </label>
        <div className="actions">
          <button type="submit" className="primary" disabled={!sql.trim()}>
            {wish.trim() ? "Ask for that" : sql === asked.sql ? "Run it" : "Run my version"}
          </button>
          <button type="button" onClick={() => onDecide({ type: "reject" })}>
            Do not run it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
