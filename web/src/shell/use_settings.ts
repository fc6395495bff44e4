/** What the person set for this browser. */

import { useEffect, useState } from "react";

export type Theme = "system" | "light" | "dark";

export interface Settings {
  theme: Theme;
  /** Ask before a query runs. */
  approve: boolean;
  /** Ask when a question can be read in two ways. */
  clarify: boolean;
  model: string;
  /** Name under which verified pairs are saved. */
  author: string;
  tables: boolean;
}

const KEPT = "critiql-settings";
const DEFAULTS: Settings = { theme: "system", approve: false, clarify: true, model: "", author: "", tables: false };

export function useSettings(): [Settings, (change: Partial<Settings>) => void] {
  const [settings, setSettings] = useState(read);
  useEffect(() => {
    localStorage.setItem(KEPT, JSON.stringify(settings));
    document.documentElement.dataset["theme"] = settings.theme;
  }, [settings]);
  return [settings, (change) => setSettings((old) => ({ ...old, ...change }))];
}

function read(): Settings {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Partial<Settings>) };
  } catch {
    return DEFAULTS; // what was kept is no JSON
  }
}
