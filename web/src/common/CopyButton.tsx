/** A button that copies a text and says so. */

import { useState } from "react";
import { copy } from "./files";

const SAID_FOR = 2000;

export function CopyButton({ text, label = "Copy", name }: { text: string; label?: string; name?: string }) {
  const [said, setSaid] = useState("");
  const act = async () => {
    setSaid((await copy(text)) ? "Copied" : "Not allowed");
    setTimeout(() => setSaid(""), SAID_FOR);
  };
  return (
    <button type="button" className="quiet" aria-label={said || name || label} onClick={() => void act()}>
      {said || label}
    </button>
  );
}
