/** The database's tables and columns: search, open, and put a name into the SQL. */

import { useMemo, useState } from "react";
import type { Schema, SchemaColumn, SchemaTable } from "../api/types";
import { counted } from "../common/format";
import { visible } from "../common/visible";

interface Props {
  schema: Schema | null;
  error: string;
  /** Put a name into the SQL; null: no SQL is shown. */
  onInsert: ((name: string) => void) | null;
  onClose: () => void;
}

export function SchemaTree({ schema, error, onInsert, onClose }: Props) {
  const [wanted, setWanted] = useState("");
  const tables = useMemo(() => matching(schema?.tables ?? [], wanted), [schema, wanted]);
  return (
    <aside className="schema" aria-label="Tables">
      <div className="bar">
        <h2>Tables</h2>
        <button type="button" className="quiet icon" aria-label="Close tables" onClick={onClose}>
          ×
        </button>
      </div>
      {error && <p className="notice bad">{error}</p>}
      <label className="filter">
        <span className="unseen">Search tables and columns</span>
        <input
          type="search"
          placeholder="Search tables and columns"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
      </label>
      <ul className="tree">
        {tables.map((table) => (
          <li key={table.name}>
            <TableEntry table={table} open={wanted !== ""} onInsert={onInsert} />
          </li>
        ))}
      </ul>
      {schema && !tables.length && <p className="muted">Nothing here is called like that.</p>}
      {schema?.hidden && schema.hidden.tables + schema.hidden.columns > 0 && (
        <p className="muted small">
          Hidden here: {counted(schema.hidden.tables, "table")}, {counted(schema.hidden.columns, "column")}.
        </p>
      )}
    </aside>
  );
}

function TableEntry({ table, open, onInsert }: { table: SchemaTable; open: boolean; onInsert: Props["onInsert"] }) {
  const facts = [table.kind === "view" ? "view" : "", table.rows === null ? "" : counted(table.rows, "row")].filter(Boolean);
  return (
    <details open={open || undefined}>
      <summary>
        <span className="name">{visible(table.name)}</span>
        <span className="muted small">{facts.join(", ")}</span>
      </summary>
      {table.comment && <p className="muted small">{visible(table.comment)}</p>}
      <ul>
        <li>
          <Insert name={table.name} onInsert={onInsert} note="whole table" />
        </li>
        {table.columns.map((column) => (
          <li key={column.name}>
            <Insert name={column.name} onInsert={onInsert} note={columnNote(column)} />
            {column.comment && <p className="muted small">{visible(column.comment)}</p>}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Insert({ name, note, onInsert }: { name: string; note: string; onInsert: Props["onInsert"] }) {
  const shown = (
    <>
      <span className="name">{visible(name)}</span> <span className="muted small">{visible(note)}</span>
    </>
  );
  if (!onInsert) return <span className="column">{shown}</span>;
  return (
    <button type="button" className="column" title="Put into the SQL" onClick={() => onInsert(quoted(name))}>
      {shown}
    </button>
  );
}

function columnNote(column: SchemaColumn): string {
  const to = column.references ? `→ ${column.references.table}.${column.references.column}` : "";
  return [column.type, column.primary_key ? "key" : "", to].filter(Boolean).join(" ");
}

/** A name as SQL takes it. */
function quoted(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** Tables whose name or one of whose columns holds the text; of a table so named all columns stay. */
function matching(tables: readonly SchemaTable[], wanted: string): SchemaTable[] {
  const text = wanted.trim().toLowerCase();
  if (!text) return [...tables];
  return tables.flatMap((table) => {
    if (table.name.toLowerCase().includes(text)) return [table];
    const columns = table.columns.filter((column) => column.name.toLowerCase().includes(text));
    return columns.length ? [{ ...table, columns }] : [];
  });
}
