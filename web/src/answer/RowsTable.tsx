/** Rows as a table: sort by a column, filter, and it says when rows were cut. */

import {
  type Column,
  columnFilteringFeature,
  createColumnHelper,
  createFilteredRowModel,
  createSortedRowModel,
  globalFilteringFeature,
  rowSortingFeature,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { useMemo, useState } from "react";
import type { Cell } from "../api/types";
import { counted } from "../common/format";
import { visible } from "../common/visible";

const SHOWN = 100;
const CELL_CHARACTERS = 160;

const features = tableFeatures({
  rowSortingFeature,
  columnFilteringFeature,
  globalFilteringFeature,
  sortedRowModel: createSortedRowModel(),
  filteredRowModel: createFilteredRowModel(),
});
const helper = createColumnHelper<typeof features, Cell[]>();

interface Props {
  columns: readonly string[];
  rows: Cell[][];
  truncated: boolean;
  /** What the table holds, for a screen reader. */
  label: string;
}

export function RowsTable({ columns, rows, truncated, label }: Props) {
  const [all, setAll] = useState(false);
  const definitions = useMemo(() => columns.map(define), [columns]);
  const table = useTable({
    features,
    columns: definitions,
    data: rows,
    globalFilterFn: (row, id, wanted) => holds(row.getValue(id), String(wanted)),
    getColumnCanGlobalFilter: () => true,
    sortDescFirst: false,
  });
  const wanted = String(table.state.globalFilter ?? "");
  const found = table.getRowModel().rows;
  const shown = all ? found : found.slice(0, SHOWN);
  const numeric = useMemo(() => columns.map((_, index) => isNumeric(rows, index)), [columns, rows]);

  return (
    <div className="rows">
      <div className="rows-bar">
        <p className="count" role="status">
          {countWords(rows.length, found.length, truncated, wanted)}
        </p>
        <label className="filter">
          <span className="unseen">Filter rows</span>
          <input
            type="search"
            placeholder="Filter rows"
            value={wanted}
            onChange={(event) => table.setGlobalFilter(event.target.value)}
          />
        </label>
      </div>
      {truncated && (
        <p className="notice warn">
          These are only the first {counted(rows.length, "row")}: there are more. Totals over this table are not totals over
          the data.
        </p>
      )}
      <div className="table-scroll" tabIndex={0} role="region" aria-label={`${label}, scrolls`}>
        <table aria-label={label}>
          <thead>
            {table.getHeaderGroups().map((group) => (
              <tr key={group.id}>
                {group.headers.map((header, index) => (
                  <Head key={header.id} column={header.column} name={columns[index] ?? ""} numeric={numeric[index]} />
                ))}
              </tr>
            ))}
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.id}>
                {row.original.map((cell, index) => (
                  <td key={index} className={numeric[index] ? "number" : undefined}>
                    <CellText cell={cell} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shown.length < found.length && (
        <button type="button" className="quiet" onClick={() => setAll(true)}>
          Show all {counted(found.length, "row")} here
        </button>
      )}
    </div>
  );
}

function Head({ column, name, numeric }: { column: Column<typeof features, Cell[]>; name: string; numeric?: boolean }) {
  const order = column.getIsSorted();
  const spoken = order === "asc" ? "ascending" : order === "desc" ? "descending" : "none";
  return (
    <th scope="col" aria-sort={spoken} className={numeric ? "number" : undefined}>
      <button type="button" onClick={() => column.toggleSorting()}>
        {visible(name) || "(no name)"}
        <span aria-hidden="true" className="order">
          {order === "asc" ? "▲" : order === "desc" ? "▼" : ""}
        </span>
      </button>
    </th>
  );
}

/** One cell as text, whatever is in it. */
export function CellText({ cell }: { cell: Cell }) {
  if (cell === null) return <span className="null">NULL</span>;
  const text = visible(typeof cell === "number" ? numberText(cell) : String(cell));
  if (text === "") return <span className="null">empty text</span>;
  if (text.length <= CELL_CHARACTERS) return <>{text}</>;
  return (
    <details className="long">
      <summary>{text.slice(0, CELL_CHARACTERS)}…</summary>
      {text}
    </details>
  );
}

function define(_name: string, index: number) {
  return helper.accessor((row): unknown => row[index] ?? null, {
    id: String(index),
    sortFn: (one, other, id) => compare(one.getValue<Cell>(id), other.getValue<Cell>(id)),
  });
}

/** Numbers by size, texts as a person orders them, NULL first. */
export function compare(one: Cell, other: Cell): number {
  if (one === null || other === null) return Number(one !== null) - Number(other !== null);
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), "en", { numeric: true });
}

function holds(cell: unknown, wanted: string): boolean {
  const text = cell === null ? "null" : String(cell);
  return text.toLowerCase().includes(wanted.toLowerCase());
}

/** At most 12 digits, so that no sum ends in 0000000000001. */
function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(12)));
}

function isNumeric(rows: readonly Cell[][], index: number): boolean {
  return rows.length > 0 && rows.every((row) => row[index] === null || typeof row[index] === "number");
}

function countWords(count: number, found: number, truncated: boolean, wanted: string): string {
  const all = truncated ? `First ${counted(count, "row")}` : counted(count, "row");
  return wanted ? `${found.toLocaleString("en")} of ${all.toLowerCase()}` : all;
}
