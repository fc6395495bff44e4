/** Files dropped on the page, where the server takes them. */

import { useEffect, useState } from "react";
import { useLatest } from "../common/hooks";

/** Calls `onFile` for a dropped file; true while one is held over the page. */
export function useFileDrop(allowed: boolean, onFile: (file: File) => void): boolean {
  const [held, setHeld] = useState(false);
  const latest = useLatest(onFile);
  useEffect(() => {
    if (!allowed) return;
    const hasFile = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const over = (event: DragEvent) => {
      if (!hasFile(event)) return;
      event.preventDefault();
      setHeld(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setHeld(false);
    };
    const drop = (event: DragEvent) => {
      if (!hasFile(event)) return;
      event.preventDefault();
      setHeld(false);
      const file = event.dataTransfer?.files[0];
      if (file) latest.current(file);
    };
    document.addEventListener("dragover", over);
    document.addEventListener("dragleave", leave);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", over);
      document.removeEventListener("dragleave", leave);
      document.removeEventListener("drop", drop);
    };
  }, [allowed, latest]);
  return held;
}
