/** Columns as kubectl prints them: as wide as what stands in them, three spaces between. */

export type Row = readonly (string | undefined)[];

const GAP = '   ';
const NOTHING = '<none>';

export function tableText(head: readonly string[], rows: readonly Row[]): string {
  const all = [head, ...rows.map((row) => row.map((cell) => cell || NOTHING))];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(GAP)
      .trimEnd();
  return `${all.map(line).join('\n')}\n`;
}
