/** The plan as a line of time: what has been passed, where now is, what lies ahead. */
import type { PlanPointStatus } from '#api/status.ts';
import { timeOf } from '#cli/fields.ts';
import { lengthText, minuteText } from '#cli/times.ts';
import type { Ink } from './ink.ts';

interface BarInput {
  readonly plan: readonly PlanPointStatus[];
  readonly startedMs: number;
  readonly nowMs: number;
  /** When the run ended; the marker stands there. */
  readonly finishedMs: number | undefined;
  readonly width: number;
  readonly ink: Ink;
}

const INDENT = '  ';
const COLUMNS_MIN = 20;

/** Empty where there is no plan with times. */
export function barLines(input: BarInput): string[] {
  const { plan, startedMs, nowMs, finishedMs, width, ink } = input;
  const timed = plan.flatMap((point) => {
    const atMs = timeOf(point.passedAt) ?? timeOf(point.dueAt);
    return atMs === undefined ? [] : [{ point, atMs }];
  });
  const markMs = finishedMs ?? nowMs;
  const lastMs = Math.max(startedMs, ...timed.map(({ atMs }) => atMs), markMs);
  const columns = Math.max(COLUMNS_MIN, width - 2 * INDENT.length) - 1;
  const spanMs = lastMs - startedMs;
  if (timed.length === 0 || spanMs <= 0 || markMs < startedMs) return [];
  const columnOf = (atMs: number) =>
    Math.max(0, Math.min(columns, Math.round(((atMs - startedMs) / spanMs) * columns)));
  const mark = columnOf(markMs);
  const line = Array.from({ length: columns + 1 }, (_, column) =>
    column < mark ? ink.signs.past : ink.signs.future,
  );
  for (const { point, atMs } of timed) line[columnOf(atMs)] = signOf(point, ink);
  const ran = lengthText(markMs - startedMs);
  const said = finishedMs === undefined ? `now, ${ran} in` : `ended after ${ran}`;
  const labels = timed.map(({ point, atMs }) => ({
    column: columnOf(atMs),
    text: point.weight === undefined ? point.name : `${point.weight}%`,
  }));
  const ends = [
    { column: 0, text: minuteText(startedMs, nowMs) },
    { column: columns, text: minuteText(lastMs, nowMs) },
  ];
  const bar = `${ink.paint('good', line.slice(0, mark).join(''))}${line.slice(mark).join('')}`;
  return [
    placed([{ column: mark, text: sideText(mark, columns, ink.signs.now, said) }], columns),
    bar,
    placed(labels, columns),
    ink.paint('faint', placed(ends, columns)),
  ].map((text) => `${INDENT}${text}`.trimEnd());
}

function signOf({ kind, passedAt }: PlanPointStatus, { signs }: Ink): string {
  const [passed, ahead] = kind === 'Checkpoint' ? signs.checkpoint : signs.step;
  if (kind === 'End') return signs.end;
  return passedAt === undefined ? ahead : passed;
}

/** The words stand on that side of the marker where there is room. */
function sideText(column: number, columns: number, sign: string, text: string): string {
  return column + text.length + 2 <= columns ? `${sign} ${text}` : `${text} ${sign}`;
}

interface Label {
  readonly column: number;
  readonly text: string;
}

/** One line with each text at its column, as far as the one before leaves room; what does not fit is left out. */
function placed(labels: readonly Label[], columns: number): string {
  const cells = Array.from({ length: columns + 1 }, () => ' ');
  let free = 0;
  for (const { column, text } of labels.toSorted((a, b) => a.column - b.column)) {
    const isLeftOf = column + text.length > columns + 1;
    const start = isLeftOf ? column - text.length + 1 : column;
    if (start < free || start < 0) continue;
    for (const [index, letter] of [...text].entries()) cells[start + index] = letter;
    free = start + text.length + 1;
  }
  return cells.join('').trimEnd();
}
