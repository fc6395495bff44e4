/** Conversations that the server keeps. */

import { useEffect, useState } from "react";
import { deleteThread, type Listed, listThreads } from "../api/conversation";
import { inWords } from "../api/http";
import { Dialog } from "../common/Dialog";
import { visible } from "../common/visible";

interface Props {
  current: string | null;
  onOpen: (thread: string) => void;
  onForgotten: (thread: string) => void;
  onClose: () => void;
}

export function HistoryDialog({ current, onOpen, onForgotten, onClose }: Props) {
  const [listed, setListed] = useState<Listed[] | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    listThreads().then(setListed, (failure: unknown) => setError(inWords(failure)));
  }, []);
  const forget = async (thread: string) => {
    try {
      await deleteThread(thread);
      setListed((all) => all?.filter((one) => one.id !== thread) ?? null);
      onForgotten(thread);
    } catch (failure) {
      setError(inWords(failure));
    }
  };
  return (
    <Dialog title="Earlier conversations" onClose={onClose}>
      {error && (
        <p className="notice bad" role="alert">
          {error}
        </p>
      )}
      {listed?.length === 0 && <p className="muted">None yet.</p>}
      <ul className="list">
        {listed?.map((one) => (
          <li key={one.id}>
            <a href={`#/c/${one.id}`} aria-current={one.id === current || undefined} onClick={() => onOpen(one.id)}>
              {visible(one.title)}
            </a>
            <span className="muted small">
              {visible(one.database)} · {new Date(one.updated).toLocaleString()}
            </span>
            <button type="button" className="quiet" aria-label={`Delete: ${visible(one.title)}`} onClick={() => void forget(one.id)}>
              Delete
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
