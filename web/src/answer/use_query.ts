/** The SQL of an answer as the person has it now: edit, check, run exactly as shown, have it mended. */

import { useCallback, useEffect, useRef, useState } from "react";
import { inWords, wasStopped } from "../api/http";
import { checkSql, refineSql, runSql } from "../api/routes";
import type { Finding, RefineResult, RunResult } from "../api/types";

const CHECK_AFTER = 600;

export interface Query {
  text: string;
  setText: (text: string) => void;
  /** What the person's own run gave; null: the answer's rows are shown. */
  ran: RunResult | null;
  busy: "" | "running" | "mending";
  findings: Finding[];
  proposal: RefineResult | null;
  error: string;
  run: (text?: string) => void;
  mend: () => void;
  accept: () => void;
  refuse: () => void;
  stop: () => void;
  reset: () => void;
}

export function useQuery(database: string, question: string, given: string, known: Finding[]): Query {
  const [text, setText] = useState(given);
  const [ran, setRan] = useState<RunResult | null>(null);
  const [busy, setBusy] = useState<Query["busy"]>("");
  const [findings, setFindings] = useState<Finding[]>(known);
  const [proposal, setProposal] = useState<RefineResult | null>(null);
  const [error, setError] = useState("");
  const going = useRef<AbortController | null>(null);

  useEffect(() => {
    setText(given);
    setRan(null);
    setProposal(null);
    setError("");
  }, [given]);

  useEffect(() => {
    if (text === given) return setFindings(known);
    setFindings([]);
    if (!text.trim()) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      checkSql(database, text, question, controller.signal).then(
        (checked) => setFindings(checked.findings),
        () => setFindings([]), // running tells the person; checking while typing must not disturb
      );
    }, CHECK_AFTER);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [text, given, known, database, question]);

  const during = useCallback(async (what: Query["busy"], act: (signal: AbortSignal) => Promise<void>) => {
    going.current?.abort();
    const controller = new AbortController();
    going.current = controller;
    setBusy(what);
    setError("");
    try {
      await act(controller.signal);
    } catch (failure) {
      if (!wasStopped(failure)) setError(inWords(failure));
    } finally {
      if (going.current === controller) setBusy("");
    }
  }, []);

  const run = (other?: string) => {
    const wanted = other ?? text;
    if (other !== undefined) setText(other);
    setProposal(null);
    void during("running", async (signal) => setRan(await runSql(database, wanted, signal)));
  };
  const mend = () =>
    void during("mending", async (signal) => setProposal(await refineSql(database, text, question, signal)));
  const accept = () => {
    if (proposal) run(proposal.after);
  };
  const stop = () => {
    going.current?.abort();
    setBusy("");
  };
  const reset = () => {
    setText(given);
    setRan(null);
    setProposal(null);
  };
  return { text, setText, ran, busy, findings, proposal, error, run, mend, accept, refuse: () => setProposal(null), stop, reset };
}
