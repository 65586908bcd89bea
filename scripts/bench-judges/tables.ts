/** The tables of docs/judges.md, as Markdown, beside the figures of the study that the judge was built after. */
import type { Delay, Detection, Falses } from './cells.ts';

/** By the study, in percent of 48-hour rollouts; a range where it gives one. */
const studyFalses: Readonly<Record<string, string>> = {
  '0.001 0.5': '100 / 0 / 0',
  '0.001 1': '60 / 0 / 0',
  '0.001 5': '0 / 0 / 0',
  '0.001 20': '0 / 0 / 0',
  '0.001 100': '0 / 0 / 0',
  '0.002 1': '100 / 0 / 0',
  '0.002 5': '9 / ≤ 0.3 / 0',
  '0.004 5': '100 / 0 / 0',
  '0.004 20': '100 / 0 / 0',
  '0.004 100': '1-2 / 0 / 0',
};

/** Median and p90 in minutes: hourly blocks from T+24h, and one block over all. */
const studyLate: Readonly<Record<string, string>> = {
  '0.006 20': '6.5 (11.5) / 302',
  '0.01 1': '52 (169) / 238',
  '0.01 5': '9.5 (18) / 165',
  '0.01 20': '3 (4.5) / 150',
  '0.02 5': '4 (6.5) / 74',
  '0.05 1': '7 (10.5) / 40',
  '0.05 20': '0.5 / 25.5',
};

/** The same from the start of a step: literal rule, and relative with one block. */
const studyStep: Readonly<Record<string, string>> = {
  '0.003 20': 'miss / 24 (49)',
  '0.006 20': '6.5-7 (15) / 4 (9)',
  '0.01 1': '7-8 (16) / 33 (58)',
  '0.01 5': '5.5 (8) / 6 (11.5)',
  '0.01 20': '5 (5.5) / 1.5 (2.5)',
  '0.02 5': '5 (5.5) / 2.5 (4)',
  '0.05 1': '5 (5.5) / 4 (6.5)',
  '0.05 20': '5 (5) / < 0.5',
};

export function falseTable(rows: readonly Falses[]): string {
  const head = [
    'literal',
    'relative',
    'absolute',
    'as planned',
    'study: literal / relative / absolute',
  ];
  return cellTable(rows, head, studyFalses, ({ fired }) => {
    const { literal = 0, relative = 0, absolute = 0, planned = 0 } = fired;
    return [literal, relative, absolute, planned].map(percent);
  });
}

export function borderTable(rows: readonly Falses[]): string {
  const lines = rows.map(({ perSecond, fired }) => [perSecond, percent(fired['relative'] ?? 0)]);
  return table(['requests/s an arm', 'relative'], lines);
}

export function commonTable(rows: readonly Falses[]): string {
  const lines = rows.map(({ perSecond, fired }) => {
    const { literal = 0, relative = 0, absolute = 0 } = fired;
    return [
      perSecond,
      ...[literal, absolute, relative].map(percent),
      perSecond <= 100 ? '100 / 100 / 0' : '–',
    ];
  });
  return table(
    [
      'requests/s an arm',
      'literal',
      'absolute',
      'relative',
      'study: literal / absolute / relative',
    ],
    lines,
  );
}

export function stepTable(rows: readonly Detection[]): string {
  const head = [
    'literal',
    'relative',
    'absolute',
    'relative, α undivided',
    'study: literal / relative',
  ];
  return cellTable(rows, head, studyStep, (row) =>
    ['literal', 'relative', 'absolute', 'unbroken'].map((name) => delay(row, name)),
  );
}

/** @param anywhere the same cells with the onset anywhere in the hour */
export function lateTable(rows: readonly Detection[], anywhere: readonly Detection[]): string {
  const head = [
    'blocks, at T+24h',
    'blocks, anywhere in the hour',
    'without blocks',
    'study: blocks / without',
  ];
  return cellTable(rows, head, studyLate, (row, index) => {
    const other = anywhere[index];
    return [
      delay(row, 'relative'),
      other === undefined ? '' : delay(other, 'relative'),
      delay(row, 'unbroken'),
    ];
  });
}

/** A line for each cell: what it is, what was measured, and what the study says of it. */
function cellTable<Row extends Detection | Falses>(
  rows: readonly Row[],
  head: readonly string[],
  study: Readonly<Record<string, string>>,
  measured: (row: Row, index: number) => readonly string[],
): string {
  const lines = rows.map((row, index) => {
    const { bad, perSecond } = row;
    const says = study[`${bad} ${perSecond}`] ?? '–';
    return [percent(bad), perSecond, ...measured(row, index), says];
  });
  return table(['bad, %', 'requests/s an arm', ...head], lines);
}

/** `6.5 (11.5)`, with what was missed or came before the onset. */
function delay({ delays }: Detection, name: string): string {
  const found: Delay | undefined = delays[name];
  if (found === undefined) return '';
  const { median, p90, missed, early } = found;
  const extra = [
    ...(missed > 0 ? [`${percent(missed)} % missed`] : []),
    ...(early > 0 ? [`${percent(early)} % before`] : []),
  ].join(', ');
  const times =
    median === undefined
      ? 'miss'
      : `${minutes(median)} (${p90 === undefined ? '–' : minutes(p90)})`;
  return extra === '' || median === undefined ? times : `${times}, ${extra}`;
}

function minutes(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

function percent(share: number): string {
  return String(Number((share * 100).toFixed(2)));
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
