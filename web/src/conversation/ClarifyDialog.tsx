/** Two readings of a question that give different rows: the person says which one is meant. */

import { useState } from "react";
import { CellText } from "../answer/RowsTable";
import type { Decision, Interrupt, Reading } from "../api/types";
import { Dialog } from "../common/Dialog";
import { counted } from "../common/format";
import { unmarked } from "../common/Prose";
import { visible, visibleLines } from "../common/visible";

type Clarify = Extract<Interrupt, { type: "clarify" }>;

interface Props {
  asked: Clarify;
  onDecide: (decision: Decision) => void;
  onClose: () => void;
}

export function ClarifyDialog({ asked, onDecide, onClose }: Props) {
  const [chosen, setChosen] = useState(0);
  const [own, setOwn] = useState("");
  const decide = (event: React.FormEvent) => {
    event.preventDefault();
    if (own.trim()) onDecide({ type: "respond", message: own.trim() });
    else if (chosen === 0) onDecide({ type: "approve" });
    else onDecide({ type: "edit", edited_action: { name: "clarify", args: { reading: chosen } } });
  };
  return (
    <Dialog title="What do you mean?" onClose={onClose} wide>
      <form onSubmit={decide} className="form">
        <p>{unmarked(asked.message)}</p>
        <fieldset className="readings" disabled={own.trim() !== ""}>
          <legend className="unseen">Readings of the question</legend>
          {asked.readings.map((reading, place) => (
            <ReadingCard
              key={reading.title}
              reading={reading}
              chosen={chosen === place}
              onChoose={() => setChosen(place)}
            />
          ))}
        </fieldset>
        <label>
          Neither? Say it in your own words
          <textarea rows={2} value={own} onChange={(event) => setOwn(event.target.value)} />
        </label>
        <div className="actions">
          <button type="submit" className="primary">
            {own.trim() ? "Ask it like this" : "This is what I mean"}
          </button>
          <button type="button" onClick={() => onDecide({ type: "approve" })}>
            I do not know: take the likelier one
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function ReadingCard({ reading, chosen, onChoose }: { reading: Reading; chosen: boolean; onChoose: () => void }) {
  return (
    <div className={chosen ? "reading chosen" : "reading"}>
      <label>
        <input type="radio" name="reading" checked={chosen} onChange={onChoose} />
        <span>{unmarked(reading.words)}</span>
      </label>
      <div className="table-scroll" tabIndex={0} role="region" aria-label={`Rows of reading ${reading.title}`}>
        <table>
          <thead>
            <tr>
              {reading.columns.map((name, index) => (
                <th key={index} scope="col">
                  {visible(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {reading.rows.map((row, index) => (
              <tr key={index}>
                {row.map((cell, column) => (
                  <td key={column}>
                    <CellText cell={cell} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <details>
        <summary>
          SQL <span className="muted">({counted(reading.row_count, "row")})</span>
        </summary>
        <pre className="quoted">{visibleLines(reading.sql)}</pre>
      </details>
    </div>
  );
}
