/** The live picture of a run: what it knows (`View`), as lines for a terminal, and as sentences about what has changed. */
import type { Paint, Style } from './paint.ts';

export interface View {
  readonly title: string;
  readonly nowMs: number;
  readonly startedAtMs: number | undefined;
  readonly phase: string;
  readonly message: string;
  readonly points: readonly PointView[];
  /** What the current step asks for, what the route says, what customers get; in percent. */
  readonly asked: number | undefined;
  readonly onRoute: number | undefined;
  readonly measured: MeasuredView;
  readonly triggers: readonly TriggerView[];
  readonly decisions: readonly DecisionView[];
}

export interface PointView {
  readonly name: string;
  readonly weight: number | undefined;
  readonly dueAtMs: number;
  readonly passedAtMs: number | undefined;
}

export interface MeasuredView {
  readonly percent: number | undefined;
  readonly requestsPerSecond: number;
  readonly failedPercent: number;
}

export interface TriggerView {
  readonly name: string;
  readonly state: string;
  /** As a person reads it: `12.3%`. */
  readonly value: string | undefined;
  /** `> 0.5% for 5s`. */
  readonly rule: string;
  readonly firesAtMs: number | undefined;
}

export interface DecisionView {
  readonly atMs: number;
  readonly text: string;
}

const labelWidth = 11;
const barMax = 50;
const barMin = 10;
const widthMin = 20;
const decisionsShown = 5;
/** In a pipe: the figures, even if nothing has changed. */
const tellEveryMs = 10_000;

/** At most `columns` wide, so that a redraw in place never wraps. */
export function renderTimeline(view: View, columns: number, paint: Paint): string[] {
  const width = Math.max(widthMin, columns - 1);
  const bar = Math.max(barMin, Math.min(barMax, width - labelWidth - 30));
  const rows: [string, Cell[]][] = [
    ['plan', planCells(view)],
    ['asked', gauge(view.asked, bar, 'plan')],
    ['route', gauge(view.onRoute, bar, 'plan')],
    [
      'measured',
      [...gauge(view.measured.percent, bar, 'measured'), ...trafficCells(view.measured)],
    ],
    ['phase', [{ text: view.phase, style: phaseStyle(view.phase) }, { text: `  ${view.message}` }]],
    ...view.triggers.map((trigger, index): [string, Cell[]] => [
      index === 0 ? 'triggers' : '',
      triggerCells(trigger, view.nowMs),
    ]),
    ...view.decisions
      .slice(-decisionsShown)
      .map(({ atMs, text }, index): [string, Cell[]] => [
        index === 0 ? 'decisions' : '',
        [{ text: `${sinceStart(view, atMs)}  `, style: 'faint' }, { text }],
      ]),
  ];
  return [
    line(
      [{ text: view.title, style: 'strong' }, { text: `   ${sinceStart(view, view.nowMs)}` }],
      width,
      paint,
    ),
    '',
    ...rows.map(([label, cells]) =>
      line([{ text: label.padEnd(labelWidth), style: 'faint' }, ...cells], width, paint),
    ),
  ];
}

/** One line for every change worth a line; for logs and pipes. */
export function describeChanges(before: View | undefined, after: View): string[] {
  const lines: string[] = [];
  const at = sinceStart(after, after.nowMs);
  const told = new Set(before?.decisions.map(({ atMs, text }) => `${atMs} ${text}`));
  for (const { atMs, text } of after.decisions) {
    if (!told.has(`${atMs} ${text}`)) lines.push(`${sinceStart(after, atMs)}  ${text}`);
  }
  if (before?.phase !== after.phase) lines.push(`${at}  phase ${after.phase}: ${after.message}`);
  if (before?.onRoute !== after.onRoute && after.onRoute !== undefined) {
    lines.push(`${at}  route gives canary ${formatPercent(after.onRoute)}`);
  }
  for (const trigger of after.triggers) {
    const known = before?.triggers.find((one) => one.name === trigger.name);
    if (known?.state === trigger.state) continue;
    const value = trigger.value === undefined ? '' : ` at ${trigger.value}`;
    lines.push(
      `${at}  trigger ${trigger.name} is ${trigger.state}${value} (${trigger.rule})${countdown(trigger, after.nowMs)}`,
    );
  }
  const isDue =
    before !== undefined &&
    Math.floor(after.nowMs / tellEveryMs) > Math.floor(before.nowMs / tellEveryMs);
  if (isDue) lines.push(`${at}  ${figures(after)}`);
  return lines;
}

function figures({ asked, onRoute, measured, phase, points, nowMs }: View): string {
  const text = (percent: number | undefined) =>
    percent === undefined ? '–' : formatPercent(percent);
  const next = points.find((point) => point.passedAtMs === undefined);
  const isWaiting = phase === 'Progressing' && next !== undefined && next.dueAtMs > nowMs;
  return [
    `asked ${text(asked)}, route ${text(onRoute)}, customers ${text(measured.percent)}`,
    `${Math.round(measured.requestsPerSecond)} req/s, ${measured.failedPercent.toFixed(1)}% fail`,
    ...(isWaiting ? [`${next.name} in ${Math.ceil((next.dueAtMs - nowMs) / 1_000)} s`] : []),
  ].join('; ');
}

interface Cell {
  readonly text: string;
  readonly style?: Style;
}

function planCells({ points, nowMs, phase }: View): Cell[] {
  const next = points.find((point) => point.passedAtMs === undefined);
  if (next === undefined && points.length === 0) return [{ text: 'not started', style: 'faint' }];
  const isGivenUp = phase === 'RollingBack' || phase === 'RolledBack';
  return points.map((point, index): Cell => {
    const gap = index === 0 ? '' : '   ';
    const weight = point.weight === undefined ? '' : ` ${point.weight}%`;
    const name = `${point.name}${weight}`;
    if (point.passedAtMs !== undefined) return { text: `${gap}✔ ${name}`, style: 'good' };
    if (isGivenUp) return { text: `${gap}✘ ${name}`, style: 'faint' };
    if (point !== next) return { text: `${gap}· ${name}`, style: 'faint' };
    const leftMs = point.dueAtMs - nowMs;
    const when = leftMs > 0 ? `in ${Math.ceil(leftMs / 1_000)} s` : 'due';
    return { text: `${gap}▸ ${name} ${when}`, style: 'strong' };
  });
}

function gauge(percent: number | undefined, width: number, style: Style): Cell[] {
  if (percent === undefined) return [{ text: '–'.padStart(6) }];
  const full = Math.round((percent / 100) * width);
  return [
    { text: `${formatPercent(percent).padStart(6)} ` },
    { text: '█'.repeat(full), style },
    { text: '░'.repeat(width - full), style: 'faint' },
  ];
}

function trafficCells({ requestsPerSecond, failedPercent }: MeasuredView): Cell[] {
  const failing = failedPercent > 0;
  return [
    { text: ` ${Math.round(requestsPerSecond)} req/s`, style: 'faint' },
    failing
      ? { text: ` ${failedPercent.toFixed(1)}% fail`, style: 'bad' }
      : { text: ' none fails', style: 'faint' },
  ];
}

function triggerCells(trigger: TriggerView, nowMs: number): Cell[] {
  return [
    { text: trigger.name.padEnd(13) },
    { text: trigger.state.padEnd(9), style: stateStyle(trigger.state) },
    { text: (trigger.value ?? '').padStart(8) },
    { text: `  ${trigger.rule}`, style: 'faint' },
    { text: countdown(trigger, nowMs), style: 'warn' },
  ];
}

function countdown({ state, firesAtMs }: TriggerView, nowMs: number): string {
  if (state !== 'Pending' || firesAtMs === undefined) return '';
  return `, fires in ${Math.max(0, (firesAtMs - nowMs) / 1_000).toFixed(1)} s`;
}

function stateStyle(state: string): Style {
  if (state === 'Inactive') return 'good';
  return state === 'Firing' ? 'bad' : 'warn';
}

function phaseStyle(phase: string): Style {
  if (phase === 'Succeeded') return 'good';
  if (phase === 'RollingBack' || phase === 'RolledBack') return 'bad';
  return phase === 'Held' || phase === 'Paused' ? 'warn' : 'strong';
}

/** Cuts to the width before colouring, since colour codes have no width. */
function line(cells: readonly Cell[], width: number, paint: Paint): string {
  let left = width;
  let text = '';
  for (const cell of cells) {
    const shown =
      cell.text.length > left ? `${cell.text.slice(0, Math.max(0, left - 1))}…` : cell.text;
    if (left <= 0) break;
    if (shown === '') continue;
    left -= shown.length;
    text += cell.style === undefined ? shown : paint(cell.style, shown);
  }
  return text.trimEnd();
}

/** `1:05` since the run's start; before it, `0:00`. */
export function sinceStart({ startedAtMs, nowMs }: View, atMs: number): string {
  const seconds = Math.max(0, Math.floor((atMs - (startedAtMs ?? nowMs)) / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function formatPercent(percent: number): string {
  return Number.isInteger(percent) ? `${percent}%` : `${percent.toFixed(1)}%`;
}
