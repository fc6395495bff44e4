/** Files and the clipboard. */

import type { Cell } from "../api/types";

/** Offer a file for download. */
export function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Rows as CSV (RFC 4180), the names first; NULL is an empty field. */
export function csvOf(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [columns, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

/** Rows as a JSON list of objects; a name that comes twice gets a number. */
export function jsonOf(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const names = columns.map((name, index) => (columns.indexOf(name) < index ? `${name}_${index + 1}` : name));
  const objects = rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index] ?? null])));
  return `${JSON.stringify(objects, null, 1)}\n`;
}

/** Copy text; false where the browser does not allow it. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // no permission, or no secure address
  }
}

function field(cell: Cell): string {
  if (cell === null) return "";
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
