/** Small hooks that several parts use. */

import { type RefObject, useEffect, useRef, useState } from "react";

/** Seconds since a moment, every half second; null while nothing runs. */
export function useElapsed(began: number | null): number | null {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (began === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [began]);
  return began === null ? null : Math.max(0, (now - began) / 1000);
}

/** Whether the screen is too narrow for two panes. */
export function useNarrow(): boolean {
  const query = useRef(matchMedia("(max-width: 860px)"));
  const [narrow, setNarrow] = useState(query.current.matches);
  useEffect(() => {
    const media = query.current;
    const changed = () => setNarrow(media.matches);
    media.addEventListener("change", changed);
    return () => media.removeEventListener("change", changed);
  }, []);
  return narrow;
}

/** The newest value of something that changes, for code that outlives a render. */
export function useLatest<T>(value: T): RefObject<T> {
  const latest = useRef(value);
  latest.current = value;
  return latest;
}
