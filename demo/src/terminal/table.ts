import type { Look, Paint } from "./paint.ts";

/** A cell of a table. */
export interface Cell {
  text: string;
  look?: Look;
}

const gap = "  ";

/** The lines of a table, each column as wide as its widest cell. */
export function renderTable(titles: string[], rows: Cell[][], paint: Paint): string[] {
  const header = titles.map((text): Cell => ({ text, look: "dim" }));
  const table = [header, ...rows];
  const widths = titles.map((_, column) => Math.max(...table.map((row) => row[column]?.text.length ?? 0)));
  return table.map((row) =>
    row
      .map((cell, column) => renderCell(cell, widths[column] ?? 0, paint))
      .join(gap)
      .trimEnd(),
  );
}

/** The padding is not painted. */
function renderCell({ text, look }: Cell, width: number, paint: Paint): string {
  const painted = look === undefined ? text : paint(look, text);
  return painted + " ".repeat(width - text.length);
}
