/**
 * The field for a question. Enter asks, Shift and Enter begins a new line.
 *
 * A question that is sent before the databases are known is kept, and asked once they are.
 */

import { useEffect, useRef, useState } from "react";

interface Props {
  running: boolean;
  /** The server waits for a decision. */
  waiting: boolean;
  ready: boolean;
  follows: boolean;
  onAsk: (message: string) => void;
  onStop: () => void;
}

const LONGEST = 8000;

export function Composer({ running, waiting, ready, follows, onAsk, onStop }: Props) {
  const [text, setText] = useState("");
  const [kept, setKept] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const complete = !running && !waiting && text.trim() !== "";
  const may = ready && complete;
  const ask = () => {
    setKept(!ready && complete);
    if (!may) return;
    onAsk(text.trim());
    setText("");
    field.current?.focus();
  };
  useEffect(() => {
    if (kept && ready) ask();
  }, [kept, ready]);
  const onKey = (event: React.KeyboardEvent) => {
    if (event.key === "Escape" && running) onStop();
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    ask();
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <label className="unseen" htmlFor="question">
        Question
      </label>
      <textarea
        id="question"
        ref={field}
        rows={2}
        maxLength={LONGEST}
        value={text}
        placeholder={follows ? "Ask a follow-up, such as “and last year?”" : "Ask a question about the data"}
        onChange={(event) => {
          setText(event.target.value);
          setKept(false);
        }}
        onKeyDown={onKey}
      />
      {running ? (
        <button type="button" className="primary" onClick={onStop}>
          Stop
        </button>
      ) : (
        <button type="submit" className="primary" disabled={!may}>
          {kept ? "Waiting" : "Ask"}
        </button>
      )}
    </form>
  );
}
