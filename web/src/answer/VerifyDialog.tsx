/** Save a question with its SQL as verified: an explicit act of a person, with a name. */

import { useState } from "react";
import { inWords } from "../api/http";
import { addPair } from "../api/routes";
import { Dialog } from "../common/Dialog";
import { visibleLines } from "../common/visible";

interface Props {
  question: string;
  sql: string;
  database: string;
  author: string;
  onAuthor: (name: string) => void;
  onClose: () => void;
}

export function VerifyDialog({ question, sql, database, author, onAuthor, onClose }: Props) {
  const [text, setText] = useState(question);
  const [by, setBy] = useState(author);
  const [saved, setSaved] = useState(false);
  const [error, setError] = useState("");
  const save = async (event: React.FormEvent) => {
    event.preventDefault();
    try {
      await addPair({ database, question: text.trim(), sql, who: by.trim() });
      onAuthor(by.trim());
      setSaved(true);
      setError("");
    } catch (failure) {
      setError(inWords(failure));
    }
  };
  return (
    <Dialog title="Save as verified" onClose={onClose}>
      {saved ? (
        <div role="status">
          <p>Saved. Questions like this one will see it as an example.</p>
          <button type="button" className="primary" onClick={onClose}>
            Done
          </button>
        </div>
      ) : (
        <form onSubmit={(event) => void save(event)} className="form">
          <p>Only save what you know to be right: the model learns from it how to answer questions like this one.</p>
          <label>
            Question
            <textarea required rows={2} value={text} onChange={(event) => setText(event.target.value)} />
          </label>
          <div>
            <span className="label">SQL</span>
            <pre className="quoted" tabIndex={0} aria-label="SQL to save">
              {visibleLines(sql)}
            </pre>
          </div>
          <label>
            Your name
            <input required autoComplete="name" value={by} onChange={(event) => setBy(event.target.value)} />
          </label>
          {error && (
            <p className="notice bad" role="alert">
              {error}
            </p>
          )}
          <div className="actions">
            <button type="submit" className="primary">
              It is right: save it
            </button>
            <button type="button" onClick={onClose}>
              Cancel
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
