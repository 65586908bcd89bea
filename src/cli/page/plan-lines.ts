/** The plan as a table: when each point was to be passed, when it was, and what is still ahead. */
import type { PlanPointStatus } from '#api/status.ts';
import { timeOf } from '#cli/fields.ts';
import { fromNowText, lengthText, shortText } from '#cli/times.ts';
import type { Page } from './page.ts';
import { pointOf } from './rollout-view.ts';
import { cut } from './wrap.ts';

const NAME_MAX = 20;
/** Sooner than this after it was due is as planned. */
const IN_TIME_MS = 60_000;

export function planLines(page: Page): string[] {
  const { view, nowMs, width, ink } = page;
  const plan = view.status.plan ?? [];
  const next = nextPoint(page);
  const nameWidth = Math.min(NAME_MAX, Math.max(5, ...plan.map(({ name }) => name.length)));
  const head = `${'POINT'.padEnd(nameWidth)}  ${'KIND'.padEnd(10)}  WEIGHT  ${'DUE'.padEnd(14)}  REAL`;
  const rows = plan.map((point) => {
    const dueMs = timeOf(point.dueAt);
    const cells = [
      cut(point.name, nameWidth, ink.signs.more).padEnd(nameWidth),
      cut(kindText(page, point), 10, ink.signs.more).padEnd(10),
      (point.weight === undefined ? '' : `${point.weight}%`).padEnd(6),
      (dueMs === undefined ? 'unknown' : shortText(dueMs, nowMs)).padEnd(14),
      realText(page, point, point === next),
    ];
    const text = cut(cells.join('  ').trimEnd(), width - 4, ink.signs.more);
    if (point.passedAt !== undefined) return `  ${ink.paint('good', ink.signs.passed)} ${text}`;
    return point === next ? `  ${ink.paint('strong', `${ink.signs.here} ${text}`)}` : `    ${text}`;
  });
  return [`    ${ink.paint('faint', cut(head, width - 4, ''))}`, ...rows];
}

/** The first point that has not been passed; none once the run is over or goes back. */
export function nextPoint({ view }: Pick<Page, 'view'>): PlanPointStatus | undefined {
  const { status } = view;
  const isOver = ['RollingBack', 'RolledBack', 'Succeeded'].includes(status.phase ?? '');
  return isOver ? undefined : status.plan?.find(({ passedAt }) => passedAt === undefined);
}

function kindText({ view }: Page, { name, kind }: PlanPointStatus): string {
  return pointOf(view, name, kind)?.approval === undefined ? kind.toLowerCase() : 'step, gate';
}

function realText({ view, nowMs }: Page, point: PlanPointStatus, isNext: boolean): string {
  const { passedAt, kind, name, weight } = point;
  const dueMs = timeOf(point.dueAt);
  const passedMs = timeOf(passedAt);
  if (passedMs !== undefined) {
    const lateMs = passedMs - (dueMs ?? passedMs);
    const late = lateMs > IN_TIME_MS ? ` (${lengthText(lateMs)} late)` : '';
    return `${shortText(passedMs, nowMs)}${late}`;
  }
  const isEntering = kind === 'Step' && view.status.step === name;
  if (isEntering && isNext)
    return `asked ${weight ?? '?'}%, measured ${view.status.weight ?? '?'}%`;
  if (dueMs === undefined || view.status.rollback !== undefined) return 'not passed';
  if (dueMs > nowMs) return fromNowText(dueMs, nowMs);
  const outcome = view.status.checkpoints?.find((one) => one.name === name)?.outcome;
  if (kind === 'Checkpoint' && outcome !== undefined) {
    return `${outcome.toLowerCase()}, due ${fromNowText(dueMs, nowMs)}`;
  }
  return isNext ? `due ${fromNowText(dueMs, nowMs)}, waits` : 'waits';
}
