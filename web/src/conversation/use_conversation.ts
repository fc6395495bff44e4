/** The conversation as a hook: ask, answer what was asked, stop, open again. */

import { useCallback, useEffect, useRef, useState } from "react";
import { converse, openThread, type Part, readThread, type RunSettings, type Said, stopRun } from "../api/conversation";
import { inWords, wasStopped } from "../api/http";
import type { Decision, Values } from "../api/types";
import { afterEvent, afterValues, ended, newTurn, type Turn, turnsOf } from "./turns";

export interface Conversation {
  thread: string | null;
  turns: Turn[];
  running: boolean;
  /** Why the conversation could not be opened. */
  error: string;
  /** Say something; with SQL, have that mended for this question. */
  ask: (message: string, draft?: string) => void;
  decide: (decision: Decision) => void;
  stop: () => void;
  begin: () => void;
  open: (thread: string) => Promise<string>;
}

interface Going {
  controller: AbortController;
  run: string | null;
  /** The newest state. The first ones still hold the turn before, so only the last is read. */
  values: Values;
}

export function useConversation(database: string, settings: RunSettings): Conversation {
  const [thread, setThread] = useState<string | null>(null);
  const [turns, setTurns] = useState<Turn[]>([]);
  const [error, setError] = useState("");
  const going = useRef<Going | null>(null);
  const running = turns.at(-1)?.state === "running";

  const change = useCallback((how: (turn: Turn) => Turn) => {
    setTurns((all) => all.map((turn, index) => (index === all.length - 1 ? how(turn) : turn)));
  }, []);

  const listen = useCallback(
    async (id: string, said: Said, run: Going) => {
      for await (const part of converse(id, said, settings, run.controller.signal)) heed(part, run, change);
    },
    [settings, change],
  );

  const follow = useCallback(
    async (begin: () => Promise<[string, Said]>) => {
      const run: Going = { controller: new AbortController(), run: null, values: {} };
      going.current = run;
      try {
        const [id, said] = await begin();
        await listen(id, said, run);
        change((turn) => (run.controller.signal.aborted ? turn : ended(afterValues(turn, run.values))));
      } catch (failure) {
        if (!wasStopped(failure) && !run.controller.signal.aborted)
          change((turn) => ({ ...ended(turn), state: "failed", error: inWords(failure) }));
      } finally {
        if (going.current === run) going.current = null;
      }
    },
    [listen, change],
  );

  const ask = (message: string, draft?: string) => {
    setTurns((all) => [...all, newTurn(all.length, message)]);
    void follow(async () => {
      const id = thread ?? (await openThread(message, database));
      setThread(id);
      return [id, { message, database, draft }];
    });
  };

  const decide = (decision: Decision) => {
    if (!thread) return;
    change((turn) => ({ ...turn, state: "running", asked: null }));
    void follow(() => Promise.resolve([thread, { decision }]));
  };

  const stop = useCallback(() => {
    const run = going.current;
    if (!run) return;
    run.controller.abort();
    if (thread && run.run) stopRun(thread, run.run).catch(() => undefined); // it may have ended by itself
    change((turn) => ({ ...ended(turn), state: "stopped", asked: null }));
  }, [thread, change]);

  const begin = useCallback(() => {
    stop();
    setThread(null);
    setTurns([]);
    setError("");
  }, [stop]);

  const open = useCallback(
    async (id: string) => {
      stop();
      try {
        const { values, database: of } = await readThread(id);
        setThread(id);
        setTurns(turnsOf(values));
        setError("");
        return of;
      } catch (failure) {
        setError(`This conversation cannot be opened: ${inWords(failure)}`);
        return "";
      }
    },
    [stop],
  );

  useEffect(() => () => going.current?.controller.abort(), []);
  return { thread, turns, running, error, ask, decide, stop, begin, open };
}

function heed(part: Part, run: Going, change: (how: (turn: Turn) => Turn) => void): void {
  if (run.controller.signal.aborted) return;
  if (part.type === "run") run.run = part.id;
  else if (part.type === "event") change((turn) => afterEvent(turn, part.event));
  else run.values = part.values;
}
