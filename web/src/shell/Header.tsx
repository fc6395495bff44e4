/** The head of the page: which database, and the ways to everything else. */

import { CopyButton } from "../common/CopyButton";
import { inWords } from "../api/http";
import { uploadDatabase } from "../api/routes";
import { visible } from "../common/visible";
import type { Server } from "./use_server";

export type Opened = "" | "history" | "verified" | "settings";

interface Props {
  server: Server;
  thread: string | null;
  tables: boolean;
  onTables: () => void;
  onOpen: (what: Opened) => void;
  onNew: () => void;
  onDatabase: (name: string) => void;
  onUploadError: (message: string) => void;
}

export function Header({ server, thread, tables, onTables, onOpen, onNew, onDatabase, onUploadError }: Props) {
  return (
    <header className="head">
      <span className="brand">
        <img src="./icon.svg" alt="" width="22" height="22" /> Critiql
      </span>
      <label className="database">
        <span className="unseen">Database</span>
        <select value={server.database} onChange={(event) => onDatabase(event.target.value)}>
          {server.databases.map((one) => (
            <option key={one.name} value={one.name}>
              {visible(one.name)} ({one.dialect ?? "cannot be opened"})
            </option>
          ))}
        </select>
      </label>
      {server.about?.upload && <Upload server={server} onError={onUploadError} />}
      <nav aria-label="Page">
        <button type="button" className="quiet" aria-pressed={tables} onClick={onTables}>
          Tables
        </button>
        <button type="button" className="quiet" onClick={() => onOpen("history")}>
          History
        </button>
        {server.about?.memory && (
          <button type="button" className="quiet" onClick={() => onOpen("verified")}>
            Verified
          </button>
        )}
        {thread && <CopyButton text={linkOf(thread)} label="Link" name="Copy a link to this conversation" />}
        <button type="button" className="quiet" onClick={() => onOpen("settings")}>
          Settings
        </button>
        <button type="button" onClick={onNew}>
          New
        </button>
      </nav>
    </header>
  );
}

function Upload({ server, onError }: { server: Server; onError: (message: string) => void }) {
  return (
    <label className="upload button quiet">
      Open a file
      <input
        type="file"
        className="unseen"
        accept=".sqlite,.sqlite3,.db,.duckdb"
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = "";
          if (file) void addFile(file, server, onError);
        }}
      />
    </label>
  );
}

/** Give the server a file and choose it. */
export async function addFile(file: File, server: Server, onError: (message: string) => void): Promise<void> {
  try {
    server.add(await uploadDatabase(file));
    onError("");
  } catch (failure) {
    onError(`${file.name} was not taken: ${inWords(failure)}`);
  }
}

function linkOf(thread: string): string {
  return `${location.origin}${location.pathname}#/c/${thread}`;
}
