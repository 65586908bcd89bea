/** What happens next and when, in sentences: one answer for each phase. */
import type { StatusCondition } from '#api/status.ts';
import { timeOf } from '#cli/fields.ts';
import { fromNowText, lengthText, shortText } from '#cli/times.ts';
import { activeFreezes } from '#core/freeze.ts';
import { rungText } from '#core/ladder.ts';
import type { Page } from './page.ts';
import { nextPoint } from './plan-lines.ts';
import { pointOf, triggerOf } from './rollout-view.ts';
import { hang } from './wrap.ts';

/** A rollout that nobody has looked at for so long probably has no operator. */
const UNSEEN_MS = 30_000;
/** Later than this nobody plans, and a broken status may name any year. */
const FORECAST_MAX_MS = 365 * 24 * 3_600_000;

export function nextLines(page: Page): string[] {
  const { width } = page;
  return sentencesOf(page).flatMap((sentence) => hang('  ', sentence, width));
}

function sentencesOf(page: Page): string[] {
  const { view } = page;
  if (view.deletedMs !== undefined) return deleting(page, view.deletedMs);
  const said =
    view.status.message === undefined ? [] : [`The operator says: ${view.status.message}.`];
  const say = view.status.phase === undefined ? unseen : phases[view.status.phase];
  const sentences = say === undefined ? [] : say(page);
  return [...said, ...sentences, ...moved(page), ...edited(page)];
}

/** Why the end is not where the plan had it. */
function moved({ view, nowMs }: Page): string[] {
  const last = view.status.extensions?.at(-1);
  if (last === undefined) return [];
  const untilMs = timeOf(last.until);
  const until = untilMs === undefined ? '' : ` to ${shortText(untilMs, nowMs)}`;
  return [`The end has been moved${until} by ${last.by}: ${last.reason}.`];
}

const phases: Readonly<Record<string, (page: Page) => string[]>> = {
  Pending: pending,
  Preflight: preflight,
  Progressing: (page) => [...threats(page), ...point(page), ...conditionsOfRise(page)],
  Held: (page) => [
    'Canary gets no more traffic while a hold below stands; it is looked at all the time. Triggers are watched on, and can still roll back.',
    ...threats(page),
    ...point(page),
  ],
  Paused: (page) => [
    'A person has paused the schedule. Triggers are watched on, and can still roll back.',
    ...threats(page),
    ...point(page),
  ],
  Monitoring: monitoring,
  Promoting: () => ['The new version is being made the stable one; then the run has succeeded.'],
  RollingBack: rollingBack,
  RolledBack: () => [
    'All traffic is back on stable, and nothing more happens by itself: a new revision starts a new run, and so does a retry.',
  ],
  Succeeded: () => [
    'The run is over, and all traffic is on this revision. The next revision starts a new run.',
  ],
};

function unseen({ view, nowMs }: Page): string[] {
  const ageMs = view.createdMs === undefined ? undefined : nowMs - view.createdMs;
  const age = ageMs === undefined ? '' : ` It was created ${lengthText(ageMs)} ago.`;
  const isLate = ageMs === undefined || ageMs > UNSEEN_MS;
  return [
    `The operator has not looked at this rollout yet, and traffic is not touched.${age}`,
    ...(isLate
      ? [
          `Is it running, and does it look after namespace ${view.namespace}? \`kubectl get pods -A -l app.kubernetes.io/name=genesis-rollout\` shows its pods.`,
        ]
      : []),
  ];
}

function pending({ view }: Page): string[] {
  const refused = conditionOf(view.status.conditions, 'Accepted', 'False');
  if (refused === undefined) return ['No run has begun yet; traffic is not touched.'];
  return [
    `No run begins, and traffic is not touched, until this is put right (${refused.reason}): ${refused.message}`,
  ];
}

function preflight({ view }: Page): string[] {
  const holds = view.status.holds ?? [];
  if (holds.length === 0)
    return ['What the run relies on is being tried before traffic is touched.'];
  return [
    'Preflight: before traffic is touched everything the run relies on must work, and what the holds below name does not. It is tried again all the time, and the run begins once it works.',
  ];
}

/** A breach that ends in a rollback comes before whatever the plan has. */
function threats({ view, nowMs }: Page): string[] {
  return (view.status.triggers ?? []).flatMap(({ name, state, activeAt, gapMs = 0 }) => {
    const trigger = triggerOf(view, name);
    const activeMs = timeOf(activeAt);
    const rollback = trigger?.ladder.find(({ action }) => action === 'Rollback');
    if (state !== 'Pending' || rollback === undefined || trigger === undefined) return [];
    if (activeMs === undefined) return [];
    const firesMs = activeMs + gapMs + trigger.forMs;
    const when = firesMs > nowMs ? fromNowText(firesMs, nowMs) : 'at the next look';
    const isAtOnce = rollback.afterMs === 0 && rollback.when === undefined;
    const then = isAtOnce ? 'all traffic goes back to stable' : rungText(rollback);
    return [`If ${name} stays in breach it fires ${when}, and then: ${then}.`];
  });
}

function point(page: Page): string[] {
  const { view, nowMs } = page;
  const next = nextPoint(page);
  if (next === undefined) return [];
  const dueMs = timeOf(next.dueAt);
  const what = whatHappens(next.kind, next.name, next.weight);
  if (dueMs === undefined) return [`Next: ${what}.`];
  if (dueMs > nowMs) {
    return [
      `Next: ${what}, ${fromNowText(dueMs, nowMs)}, at ${shortText(dueMs, nowMs)}.`,
      ...(next.kind === 'Step' ? frozenThen(page, dueMs) : []),
    ];
  }
  const isFree = (view.status.holds ?? []).length === 0;
  const waits = isFree ? 'it is being done' : 'it waits for the holds';
  return [`Next: ${what}. It has been due since ${shortText(dueMs, nowMs)}; ${waits}.`];
}

/** A step that falls into a freeze comes when the freeze ends. */
function frozenThen({ view, nowMs }: Page, dueMs: number): string[] {
  if (view.run === undefined || dueMs - nowMs > FORECAST_MAX_MS) return [];
  return activeFreezes(view.run.freezes, dueMs).map(
    ({ window, endsAtMs }) =>
      `The freeze ${window.name} is open then, and keeps it until ${shortText(endsAtMs, nowMs)}.`,
  );
}

function whatHappens(kind: string, name: string, weight: number | undefined): string {
  if (kind === 'Step') return `step ${name}, with ${weight ?? '?'}% of the traffic on canary`;
  if (kind === 'Checkpoint') return `checkpoint ${name}, which has to be passed`;
  return 'the end, where the success criteria are judged';
}

/** What a rise needs, with those that are not so now named. */
function conditionsOfRise(page: Page): string[] {
  const { view } = page;
  const next = nextPoint(page);
  if (next?.kind !== 'Step' || (next.weight ?? 0) <= (view.status.weight ?? 0)) return [];
  const critical = (view.status.triggers ?? [])
    .filter(({ severity, state }) => severity === 'Critical' && state !== 'Inactive')
    .map(({ name, state }) => `${name} is ${state}`);
  const approval = pointOf(view, next.name, next.kind)?.approval;
  const votes = (view.status.approvals ?? []).filter(
    ({ step, decision }) => step === next.name && decision === 'Approve',
  );
  const gate =
    approval === undefined
      ? []
      : [`approvals are there (${votes.length} of ${approval.quorum} so far)`];
  const quiet = `every Critical trigger is Inactive${critical.length === 0 ? '' : ` (now ${critical.join(', ')})`}`;
  const needs = [quiet, ...gate, 'nothing holds it'];
  const last = needs.at(-1) ?? '';
  return [`Traffic rises only if ${needs.slice(0, -1).join(', ')} and ${last}.`];
}

function monitoring({ view, nowMs }: Page): string[] {
  const end = view.status.plan?.find(({ kind }) => kind === 'End');
  const passedMs = timeOf(end?.passedAt);
  const forMs = view.run?.thenMonitorForMs;
  const base = 'All traffic is on canary, and stable is kept as it is to go back to.';
  if (passedMs === undefined || forMs === undefined) return [base];
  const untilMs = passedMs + forMs;
  return untilMs > nowMs
    ? [
        `${base} The run has succeeded ${fromNowText(untilMs, nowMs)}, at ${shortText(untilMs, nowMs)}, if no trigger fires until then.`,
      ]
    : [base];
}

function rollingBack({ view, nowMs }: Page): string[] {
  const { rollback } = view.status;
  const deadlineMs = timeOf(rollback?.slaDeadline);
  const running = rollback?.stages.find(({ outcome }) => outcome === 'Running');
  const stage = running === undefined ? '' : ` Now: ${running.name}.`;
  const sla =
    deadlineMs === undefined
      ? ''
      : ` It is to be complete by ${shortText(deadlineMs, nowMs)}, ${fromNowText(deadlineMs, nowMs)}.`;
  return [`Traffic goes back to stable; nothing stops that.${stage}${sla}`];
}

function deleting({ view, nowMs }: Page, deletedMs: number): string[] {
  const policy =
    view.run?.deletionPolicy === 'KeepTraffic'
      ? 'traffic stays where it is'
      : 'traffic goes back to stable';
  return [
    `It was deleted ${fromNowText(deletedMs, nowMs)}: ${policy}, the routes are released, and then it is gone, after a minute at the latest.`,
  ];
}

/** An edit that the run does not follow, and why. */
function edited({ view }: Page): string[] {
  const refused = conditionOf(view.status.conditions, 'Accepted', 'False');
  const isRunning = view.status.runId !== undefined && view.status.phase !== 'Pending';
  if (refused !== undefined && isRunning) {
    return [`The spec as it stands now is not followed (${refused.reason}): ${refused.message}`];
  }
  const queued = conditionOf(view.status.conditions, 'Accepted', 'True');
  return queued !== undefined && queued.reason !== 'Accepted' ? [`${queued.message}.`] : [];
}

function conditionOf(
  conditions: readonly StatusCondition[] | undefined,
  type: string,
  status: string,
): StatusCondition | undefined {
  return conditions?.find((one) => one.type === type && one.status === status);
}
