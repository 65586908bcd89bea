/** The triggers: the last value seen against the threshold, the state, and what follows when. */
import { compareText, formatValue } from '#api/condition-text.ts';
import type { TriggerStatus } from '#api/status.ts';
import { timeOf } from '#cli/fields.ts';
import { fromNowText, lengthText, shortText } from '#cli/times.ts';
import { rungText } from '#core/ladder.ts';
import type { RunTrigger } from '#core/run-spec.ts';
import type { Style } from './ink.ts';
import type { Page } from './page.ts';
import { triggerOf } from './rollout-view.ts';
import { cut, hang } from './wrap.ts';

const NAME_MAX = 24;
const CANARY_DOWN = 'canary-down';
const order = ['Firing', 'Pending', 'Unknown', 'Inactive'];
const styles: Readonly<Record<string, Style>> = {
  Firing: 'bad',
  Pending: 'warn',
  Unknown: 'warn',
  Inactive: 'good',
};

export function triggerLines(page: Page): string[] {
  const { width, ink } = page;
  const triggers = inOrder(page);
  const names = triggers.map(({ name }) => name.length);
  const nameWidth = Math.min(NAME_MAX, Math.max(4, ...names));
  return triggers.flatMap((trigger) => {
    const { name, severity, state } = trigger;
    const shown = cut(name, nameWidth, ink.signs.more).padEnd(nameWidth);
    const stateText = cut(state, 8, ink.signs.more);
    const start = `    ${shown}  ${cut(severity, 8, ink.signs.more).padEnd(8)}  `;
    const text = cut(measured(page, trigger), width - start.length - 10, ink.signs.more);
    const line = `${start}${ink.paint(styles[state] ?? 'strong', stateText)}${' '.repeat(10 - stateText.length)}${text}`;
    return [line.trimEnd(), ...notes(page, trigger).flatMap((note) => hang('      ', note, width))];
  });
}

/** What needs looking at stands first. A run that has not evaluated any yet still has those of its spec. */
function inOrder({ view }: Page): readonly TriggerStatus[] {
  const known = view.status.triggers ?? [];
  const others = (view.run?.triggers ?? [])
    .filter(({ name }) => known.every((one) => one.name !== name))
    .map(({ name, severity }) => ({ name, severity, state: 'Inactive', reason: 'NotEvaluated' }));
  const rank = ({ state }: TriggerStatus) =>
    (order.indexOf(state) + order.length + 1) % (order.length + 1);
  return [...known, ...others].toSorted((a, b) => rank(a) - rank(b));
}

/** `7.2% > 0.5%`, or what it would take: `0.08% (breach: > 0.5% for 5m)`. */
function measured({ view }: Page, { name, state, value, reason }: TriggerStatus): string {
  const trigger = triggerOf(view, name);
  const breach = trigger === undefined ? ofBuiltIn(view.run, name) : breachText(trigger);
  const number = Number(value);
  // What it was before it fell silent would read as if it were so now.
  const isSilent = state === 'Unknown' || value === undefined || value === '';
  const isKnown = !isSilent && !Number.isNaN(number);
  if (reason === 'NotEvaluated') return breach === '' ? 'not evaluated' : `breach: ${breach}`;
  if (trigger === undefined || !isKnown) return breach === '' ? '' : `breach: ${breach}`;
  const { condition } = trigger;
  if (state === 'Firing' || state === 'Pending') return compareText(condition, number);
  return `${formatValue(number, condition.unit)}; breach: ${breach}`;
}

function breachText({ condition, forMs }: RunTrigger): string {
  return forMs === 0 ? condition.text : `${condition.text} for ${lengthText(forMs)}`;
}

function ofBuiltIn(run: Page['view']['run'], name: string): string {
  return run !== undefined && name === CANARY_DOWN
    ? `no Ready endpoint for ${lengthText(run.canaryDown.forMs)}`
    : '';
}

/** Sentences below the line of a trigger that is not simply Inactive. */
function notes(page: Page, status: TriggerStatus): string[] {
  const trigger = triggerOf(page.view, status.name);
  if (status.state === 'Pending') return pendingNotes(page, status, trigger);
  if (status.state === 'Firing') return firingNotes(page, status, trigger);
  if (status.state === 'Unknown') return unknownNotes(page, status, trigger);
  return [];
}

function pendingNotes(
  { view, nowMs }: Page,
  { name, activeAt, gapMs = 0, message }: TriggerStatus,
  trigger: RunTrigger | undefined,
): string[] {
  const activeMs = timeOf(activeAt);
  const forMs = trigger?.forMs ?? (name === CANARY_DOWN ? view.run?.canaryDown.forMs : undefined);
  if (activeMs === undefined) return message === undefined ? [] : [message];
  const heldMs = Math.max(0, nowMs - activeMs - gapMs);
  const since = `true since ${shortText(activeMs, nowMs)}`;
  if (forMs === undefined) return [`${since}, for ${lengthText(heldMs)}`];
  const firesMs = activeMs + gapMs + forMs;
  const gap = gapMs > 0 ? `; ${lengthText(gapMs)} without a reading do not count` : '';
  const when =
    firesMs > nowMs
      ? `fires ${fromNowText(firesMs, nowMs)}, at ${shortText(firesMs, nowMs)}, if it stays so`
      : 'fires at the next look, if it is still so';
  const then = trigger === undefined ? '' : `; then: ${ladderText(trigger)}`;
  return [`${since}: ${lengthText(heldMs)} of ${lengthText(forMs)}; ${when}${gap}${then}`];
}

function firingNotes(page: Page, status: TriggerStatus, trigger: RunTrigger | undefined): string[] {
  const { nowMs } = page;
  const { firingAt, message, acknowledgedBy, acknowledgedAt, responses = [] } = status;
  const firingMs = timeOf(firingAt);
  const since = firingMs === undefined ? [] : [`fires since ${shortText(firingMs, nowMs)}`];
  const done = responses.map(({ rung, at }) => `${rung} ${clock(at, nowMs)}`);
  const carriedOut = done.length === 0 ? [] : [`carried out: ${done.join(', ')}`];
  const ackMs = timeOf(acknowledgedAt);
  const when = ackMs === undefined ? '' : ` at ${shortText(ackMs, nowMs)}`;
  return [
    ...(message === undefined || message === page.view.status.rollback?.message
      ? since
      : [message]),
    ...carriedOut,
    ...(page.view.status.rollback === undefined ? ahead(page, status, trigger) : []),
    ...(acknowledgedBy === undefined ? [] : [`acknowledged by ${acknowledgedBy}${when}`]),
  ];
}

/** Rungs that are still to come, the page that nobody has answered, and the wait for stable. */
function ahead({ nowMs }: Page, status: TriggerStatus, trigger: RunTrigger | undefined): string[] {
  const firingMs = timeOf(status.firingAt);
  if (trigger === undefined || firingMs === undefined) return [];
  const sharedMs = timeOf(status.sharedUntil);
  const startMs = sharedMs ?? firingMs;
  const done = new Set((status.responses ?? []).map(({ rung }) => rung));
  const open = trigger.ladder.filter((rung) => !done.has(rungText(rung)));
  const rungs = open.map((rung) => {
    const dueMs = startMs + rung.afterMs;
    const when = dueMs > nowMs ? ` ${fromNowText(dueMs, nowMs)}` : '';
    return `${rung.action}${rung.when === undefined ? '' : ` if ${rung.when}`}${when}`;
  });
  const { respondWithinMs } = trigger;
  const overdueMs = respondWithinMs === undefined ? undefined : firingMs + respondWithinMs;
  const isAnswered = status.acknowledgedAt !== undefined || status.overdueAt !== undefined;
  const page =
    overdueMs === undefined || isAnswered || overdueMs <= nowMs
      ? []
      : [`unless somebody acknowledges it, the owner is paged ${fromNowText(overdueMs, nowMs)}`];
  const shared =
    sharedMs === undefined || sharedMs <= nowMs
      ? []
      : [`stable breaches it too: the ladder waits until ${shortText(sharedMs, nowMs)}`];
  return [...shared, ...(rungs.length === 0 ? [] : [`next: ${rungs.join(', ')}`]), ...page];
}

function unknownNotes(
  { nowMs }: Page,
  { unknownSince, message }: TriggerStatus,
  trigger: RunTrigger | undefined,
): string[] {
  const sinceMs = timeOf(unknownSince);
  const said = message === undefined ? [] : [message];
  if (sinceMs === undefined || trigger === undefined) return said;
  const untilMs = sinceMs + trigger.noDataForMs;
  const policy = {
    Hold: 'the rollout is held',
    Breach: 'it counts as a breach',
    Ignore: 'it is ignored',
  };
  const when = untilMs > nowMs ? fromNowText(untilMs, nowMs) : `since ${shortText(untilMs, nowMs)}`;
  return [
    ...said,
    `no reading since ${shortText(sinceMs, nowMs)}; ${policy[trigger.noData]} ${when}`,
  ];
}

function ladderText({ ladder }: RunTrigger): string {
  return ladder.map(rungText).join(', ');
}

function clock(text: string, nowMs: number): string {
  const atMs = timeOf(text);
  return atMs === undefined ? '' : shortText(atMs, nowMs);
}
