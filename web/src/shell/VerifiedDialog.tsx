/** Questions with SQL that people have saved as verified: by whom and when. */

import { useEffect, useState } from "react";
import { inWords } from "../api/http";
import { fetchPairs, removePair } from "../api/routes";
import type { VerifiedPair } from "../api/types";
import { Dialog } from "../common/Dialog";
import { visible, visibleLines } from "../common/visible";

export function VerifiedDialog({ database, onClose }: { database: string; onClose: () => void }) {
  const [pairs, setPairs] = useState<VerifiedPair[] | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    fetchPairs(database).then(setPairs, (failure: unknown) => setError(inWords(failure)));
  }, [database]);
  const remove = async (id: VerifiedPair["id"]) => {
    try {
      await removePair(id);
      setPairs((all) => all?.filter((pair) => pair.id !== id) ?? null);
    } catch (failure) {
      setError(inWords(failure));
    }
  };
  return (
    <Dialog title="Verified questions" onClose={onClose} wide>
      <p className="muted">Somebody has confirmed these. Similar questions see them as examples.</p>
      {error && (
        <p className="notice bad" role="alert">
          {error}
        </p>
      )}
      {pairs?.length === 0 && <p>None yet for {visible(database)}. Save one from beside an answer's SQL.</p>}
      <ul className="list">
        {pairs?.map((pair) => (
          <li key={pair.id}>
            <strong>{visible(pair.question)}</strong>
            <pre className="quoted">{visibleLines(pair.sql)}</pre>
            <span className="muted small">
              {visible(pair.who)}, {new Date(pair.when).toLocaleString()}
            </span>
            <button type="button" className="quiet" aria-label={`Remove: ${visible(pair.question)}`} onClick={() => void remove(pair.id)}>
              Remove
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
