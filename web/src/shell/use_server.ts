/** What the server has: its model, its databases, and the schema of the chosen one. */

import { useCallback, useEffect, useState } from "react";
import { inWords, wasStopped } from "../api/http";
import { fetchAbout, fetchSchema, fetchStatus } from "../api/routes";
import type { About, DatabaseName, MachineStatus, Schema } from "../api/types";

const ASK_EVERY = 20_000;

export interface Server {
  about: About | null;
  status: MachineStatus | null;
  databases: DatabaseName[];
  database: string;
  choose: (name: string) => void;
  add: (database: DatabaseName) => void;
  schema: Schema | null;
  schemaError: string;
  /** Why the server cannot be used. */
  error: string;
  refresh: () => void;
}

export function useServer(): Server {
  const [about, setAbout] = useState<About | null>(null);
  const [status, setStatus] = useState<MachineStatus | null>(null);
  const [databases, setDatabases] = useState<DatabaseName[]>([]);
  const [database, choose] = useState("");
  const [error, setError] = useState("");
  const fail = useCallback((failure: unknown) => setError(inWords(failure)), []);

  const refresh = useCallback(() => {
    fetchStatus().then((told) => {
      setStatus(told);
      setError("");
    }, fail);
  }, [fail]);

  useEffect(() => {
    fetchAbout().then((told) => {
      setAbout(told);
      setDatabases(told.databases);
      choose((chosen) => chosen || told.default_database);
    }, fail);
    const timer = setInterval(() => document.visibilityState === "visible" && refresh(), ASK_EVERY);
    return () => clearInterval(timer);
  }, [refresh, fail]);

  const add = useCallback((added: DatabaseName) => {
    setDatabases((all) => [...all.filter((one) => one.name !== added.name), added]);
    choose(added.name);
  }, []);

  return { about, status, databases, database, choose, add, error, refresh, ...useSchema(database) };
}

function useSchema(database: string): Pick<Server, "schema" | "schemaError"> {
  const [schema, setSchema] = useState<Schema | null>(null);
  const [schemaError, setError] = useState("");
  useEffect(() => {
    if (!database) return;
    const controller = new AbortController();
    setSchema(null);
    setError("");
    fetchSchema(database, controller.signal).then(
      (read) => {
        setSchema(read);
        setError("");
      },
      (failure: unknown) => {
        if (!wasStopped(failure)) setError(inWords(failure));
      },
    );
    return () => controller.abort();
  }, [database]);
  return { schema, schemaError };
}
