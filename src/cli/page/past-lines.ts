/** What has been: the rollback with its stages, who decided what, and the runs before. */
import { timeOf } from '#cli/fields.ts';
import { fromNowText, lengthText, shortText } from '#cli/times.ts';
import type { Style } from './ink.ts';
import type { Page } from './page.ts';
import { cut, hang } from './wrap.ts';

const DECISIONS_SHOWN_MAX = 5;
const RUNS_SHOWN_MAX = 5;
const OUTCOME_WIDTH = 9;

const outcomeStyles: Readonly<Record<string, Style>> = {
  Succeeded: 'good',
  Applied: 'good',
  Running: 'warn',
  Overrun: 'warn',
  Expired: 'warn',
  Failed: 'bad',
  Refused: 'bad',
  RolledBack: 'bad',
};

export function rollbackLines(page: Page): string[] {
  const { view, nowMs, width, ink } = page;
  const { rollback } = view.status;
  if (rollback === undefined) return [];
  const startedMs = timeOf(rollback.startedAt);
  const completedMs = timeOf(rollback.completedAt);
  const took = startedMs === undefined ? undefined : (completedMs ?? nowMs) - startedMs;
  const within =
    rollback.withinSla === undefined
      ? ''
      : rollback.withinSla
        ? ', within its SLA'
        : ', over its SLA';
  const done =
    completedMs === undefined || took === undefined
      ? ''
      : `; ${rollback.outcome ?? 'complete'} after ${lengthText(took)}${within}`;
  const since = startedMs === undefined ? 'Decided' : `Decided ${shortText(startedMs, nowMs)}`;
  return [
    ...hang('  ', `${since}${done}`, width),
    ...hang('  because: ', rollback.message, width),
    ...rollback.stages.flatMap(({ name, startedAt, finishedAt, outcome, message }) => {
      const beganMs = timeOf(startedAt);
      const lasted =
        beganMs === undefined ? '' : lengthText((timeOf(finishedAt) ?? nowMs) - beganMs);
      const shown = cut(outcome, OUTCOME_WIDTH, ink.signs.more);
      const start = `    ${cut(name, 12, ink.signs.more).padEnd(12)} `;
      const mark = `${ink.paint(outcomeStyles[outcome] ?? 'strong', shown)}${' '.repeat(OUTCOME_WIDTH - shown.length)}`;
      const [first = '', ...others] = hang(
        ' '.repeat(start.length + OUTCOME_WIDTH + 1),
        `${lasted.padEnd(6)} ${message}`.trimEnd(),
        width,
      );
      return [`${start}${mark}${first.slice(start.length + OUTCOME_WIDTH)}`.trimEnd(), ...others];
    }),
    ...(rollback.hooks ?? []).flatMap(({ name, stage, job, outcome, message }) =>
      hang(
        '    ',
        `${name} (${stage}, Job ${job}): ${outcome}${message === undefined ? '' : `: ${message}`}`,
        width,
      ),
    ),
  ];
}

/** The newest first; votes on a step that is still ahead stand in the gate of that step. */
export function decisionLines({ view, nowMs, width, ink }: Page): string[] {
  const { decisions = [] } = view.status;
  const shown = decisions.slice(0, DECISIONS_SHOWN_MAX);
  const more = decisions.length - shown.length;
  return [
    ...shown.flatMap(({ decision, step, by, decidedAt, reason, outcome, message }) => {
      const atMs = timeOf(decidedAt);
      const when = atMs === undefined ? '' : `${shortText(atMs, nowMs)}  `;
      const about = step === undefined ? '' : ` ${step}`;
      const why = reason === undefined ? '' : ` (${reason})`;
      // Its beginning says again who asked for what.
      const refusal =
        outcome === 'Applied' || message === undefined
          ? ''
          : `: ${message.split(' is refused: ').at(-1)}`;
      const [first = '', ...others] = hang(
        '  ',
        `${when}${decision}${about} by ${by}: ${outcome}${why}${refusal}`,
        width,
      );
      const style = outcomeStyles[outcome];
      return [
        style === undefined || style === 'good' ? first : ink.paint(style, first),
        ...others.map((line) => `  ${line}`),
      ];
    }),
    ...(more > 0 ? [`  and ${more} before`] : []),
  ];
}

export function historyLines({ view, nowMs, width, ink }: Page): string[] {
  const { history = [], rollback } = view.status;
  const shown = history.slice(0, RUNS_SHOWN_MAX);
  const more = history.length - shown.length;
  return [
    ...shown.flatMap(({ revision, outcome, startedAt, finishedAt, message, report }) => {
      const beganMs = timeOf(startedAt);
      const endedMs = timeOf(finishedAt);
      const when =
        endedMs === undefined
          ? ''
          : `, ${shortText(endedMs, nowMs)} (${fromNowText(endedMs, nowMs)})`;
      const lasted =
        beganMs === undefined || endedMs === undefined
          ? ''
          : ` after ${lengthText(endedMs - beganMs)}`;
      const [first = '', ...others] = hang('  ', `${revision}: ${outcome}${lasted}${when}`, width);
      return [
        ink.paint(outcomeStyles[outcome] ?? 'strong', first),
        ...others,
        // The run that is still shown above has said it there.
        ...(message === undefined || message === rollback?.message
          ? []
          : hang('    ', message, width)),
        ...(report === undefined ? [] : hang('    report: ', report, width)),
      ];
    }),
    ...(more > 0 ? [`  and ${more} before`] : []),
  ];
}
