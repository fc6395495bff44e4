/** What the server has: its model, its databases, and the schema of the chosen one. */

import { useCallback, useEffect, useState } from "react";
import { inWords, wasStopped } from "../api/http";
import { fetchDatabases, fetchExamples, fetchInfo, fetchSchema } from "../api/routes";
import type { DatabaseName, Info, Schema } from "../api/types";

const ASK_EVERY = 20_000;
const EXAMPLES = 5;

export interface Server {
  info: Info | null;
  databases: DatabaseName[];
  database: string;
  choose: (name: string) => void;
  add: (database: DatabaseName) => void;
  schema: Schema | null;
  schemaError: string;
  examples: string[];
  /** Why the server cannot be used. */
  error: string;
  refresh: () => void;
}

export function useServer(): Server {
  const [info, setInfo] = useState<Info | null>(null);
  const [databases, setDatabases] = useState<DatabaseName[]>([]);
  const [database, choose] = useState("");
  const [error, setError] = useState("");
  const fail = useCallback((failure: unknown) => {
    if (!wasStopped(failure)) setError(inWords(failure));
  }, []);

  const refresh = useCallback(() => {
    fetchInfo().then((told) => {
      setInfo(told);
      setError("");
    }, fail);
  }, [fail]);

  useEffect(() => {
    refresh();
    fetchDatabases().then((all) => {
      setDatabases(all);
      choose((chosen) => chosen || (all[0]?.name ?? ""));
    }, fail);
    const timer = setInterval(() => document.visibilityState === "visible" && refresh(), ASK_EVERY);
    return () => clearInterval(timer);
  }, [refresh, fail]);

  const add = useCallback((added: DatabaseName) => {
    setDatabases((all) => [...all.filter((one) => one.name !== added.name), added]);
    choose(added.name);
  }, []);

  return { info, databases, database, choose, add, error, refresh, ...useSchema(database) };
}

function useSchema(database: string): Pick<Server, "schema" | "schemaError" | "examples"> {
  const [schema, setSchema] = useState<Schema | null>(null);
  const [schemaError, setError] = useState("");
  const [examples, setExamples] = useState<string[]>([]);
  useEffect(() => {
    if (!database) return;
    const controller = new AbortController();
    setSchema(null);
    setExamples([]);
    fetchSchema(database, controller.signal).then(
      (read) => {
        setSchema(read);
        setError("");
      },
      (failure: unknown) => {
        if (!wasStopped(failure)) setError(inWords(failure));
      },
    );
    fetchExamples(database, controller.signal).then(
      (questions) => setExamples(questions.slice(0, EXAMPLES)),
      () => setExamples([]), // examples are a help, no more
    );
    return () => controller.abort();
  }, [database]);
  return { schema, schemaError, examples };
}
