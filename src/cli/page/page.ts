/** `kubectl genesis status`: one page that says where a rollout is, why, and what happens next and when. */
import { timeOf } from '#cli/fields.ts';
import { instantText, lengthText, shortText } from '#cli/times.ts';
import type { KubeObject } from '#ports/cluster.ts';
import { actionLines } from './action-lines.ts';
import { barLines } from './bar.ts';
import { type Ink, phaseStyle } from './ink.ts';
import { nextLines } from './next-lines.ts';
import { decisionLines, historyLines, rollbackLines } from './past-lines.ts';
import { planLines } from './plan-lines.ts';
import { type RolloutView, viewOf } from './rollout-view.ts';
import { trafficLines } from './traffic-lines.ts';
import { triggerLines } from './trigger-lines.ts';
import { cut, hang, wrap } from './wrap.ts';

export interface Page {
  readonly view: RolloutView;
  readonly nowMs: number;
  /** Characters in a line. */
  readonly width: number;
  readonly ink: Ink;
  /** Flags that commands need to find the same rollout again, such as ` -n shop`. */
  readonly where: string;
}

export interface PageInput extends Omit<Page, 'view'> {
  readonly object: KubeObject;
}

const PROBLEMS_SHOWN_MAX = 5;

/** Never throws, whatever stands in the object. */
export function pageText({ object, ...rest }: PageInput): string {
  const page: Page = { ...rest, view: viewOf(object) };
  const { status } = page.view;
  const sections: readonly (readonly [title: string, lines: readonly string[]])[] = [
    ['NEXT', nextLines(page)],
    ['HOLDS', holdLines(page)],
    ['ROLLBACK', rollbackLines(page)],
    ['PLAN', (status.plan ?? []).length === 0 ? [] : planLines(page)],
    ['TRAFFIC', trafficLines(page)],
    ['TRIGGERS (values as they were when the state last changed)', triggerLines(page)],
    ['DECISIONS', decisionLines(page)],
    ['HISTORY', historyLines(page)],
    ['UNREADABLE', problemLines(page)],
    ['YOU CAN', actionLines(page)],
  ];
  const blocks = sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => [page.ink.paint('strong', title), ...lines]);
  const bar = barOf(page);
  const all = [headLines(page), ...(bar.length === 0 ? [] : [bar]), ...blocks];
  return `${all.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function headLines({ view, nowMs, width, ink }: Page): string[] {
  const { status, namespace, name, revision, deletedMs } = view;
  const phase = deletedMs === undefined ? (status.phase ?? 'New') : 'Deleting';
  const weight = status.weight === undefined ? '' : `, canary ${status.weight}%`;
  const time = `${instantText(nowMs)}Z`;
  const room = Math.max(10, width - time.length - 2);
  const title = cut(`${namespace}/${name}`, room, ink.signs.more);
  const run = status.runId === undefined ? '' : `, run ${status.runId}`;
  const startedMs = timeOf(status.startedAt);
  const started = startedMs === undefined ? '' : `, since ${instantText(startedMs)}`;
  const waiting =
    revision === undefined || status.revision === undefined || revision === status.revision
      ? ''
      : `; the spec says ${revision}`;
  const of = `revision ${status.revision ?? revision ?? 'unknown'}${run}${started}${waiting}`;
  return [
    `${ink.paint('strong', title)}${' '.repeat(Math.max(2, width - title.length - time.length))}${ink.paint('faint', time)}`,
    ...wrap(`${phase}${weight}`, width).map((line) => ink.paint(phaseStyle(phase), line)),
    ...wrap(of, width).map((line) => ink.paint('faint', line)),
  ];
}

function barOf({ view, nowMs, width, ink }: Page): string[] {
  const { status } = view;
  const startedMs = timeOf(status.startedAt);
  if (startedMs === undefined) return [];
  const finishedMs = timeOf(status.finishedAt);
  return barLines({ plan: status.plan ?? [], startedMs, nowMs, finishedMs, width, ink });
}

function holdLines({ view, nowMs, width, ink }: Page): string[] {
  return (view.status.holds ?? []).flatMap(({ reason, by, since, message }) => {
    const sinceMs = timeOf(since);
    const when =
      sinceMs === undefined
        ? ''
        : ` since ${shortText(sinceMs, nowMs)} (${lengthText(nowMs - sinceMs)})`;
    const [first = '', ...others] = hang('  ', `${reason}, by ${by}${when}`, width);
    return [ink.paint('warn', first), ...others, ...hang('    ', message, width)];
  });
}

function problemLines({ view, width, ink }: Page): string[] {
  const { problems } = view;
  if (problems.length === 0) return [];
  const shown = problems.slice(0, PROBLEMS_SHOWN_MAX);
  const more = problems.length - shown.length;
  return [
    ...hang(
      '  ',
      'Parts of the status are not as the operator writes them, and are left out:',
      width,
    ),
    ...shown.flatMap((problem) => hang('  - ', problem, width)),
    ...(more > 0 ? [`  - and ${more} more`] : []),
  ].map((line) => ink.paint('bad', line));
}
