/**
 * What a checkpoint requires, judged when it is due. What is not so now may become so: it is asked again at every
 * look. Criteria that were missed stay missed, since what has happened in their window has happened: they are judged
 * anew once the window begins later, after an extension, or once the spec is edited.
 */
import type { CheckpointRequirement } from '#api/schedule.ts';
import type { CheckpointStatus, RolloutStatus } from '#api/status.ts';
import { assertNever } from './assert.ts';
import { judgePreflight } from './checkpoint-preflight.ts';
import type { PlanPoint, RunSuite } from './run-spec.ts';
import { type Judgement, judgeSuccess, windowStartMs } from './success.ts';
import { newestResultAt, suiteOf } from './suite-reading.ts';
import { clockText, toIso } from './time.ts';
import type { RunView } from './view.ts';

export interface CheckpointJudgement {
  readonly judgement: Judgement;
  /** Misses of the criteria, which stand. */
  readonly missedCriteria: readonly string[];
}

export function judgeCheckpoint(view: RunView, point: PlanPoint): CheckpointJudgement {
  const judgements = point.requirements.map((requirement) => {
    const judgement =
      requirement === 'SuccessCriteria'
        ? (standingMiss(view, point) ?? judgeSuccess(view, windowStartMs(view.status)))
        : judge(view, requirement, point);
    return { requirement, judgement };
  });
  const messagesOf = (type: 'missed' | 'unknown') =>
    judgements.flatMap(({ requirement, judgement }) =>
      judgement.type === type ? judgement.messages.map((one) => `${requirement}: ${one}`) : [],
    );
  const missed = messagesOf('missed');
  const unknown = messagesOf('unknown');
  const criteria = judgements.find(({ requirement }) => requirement === 'SuccessCriteria');
  const missedCriteria = criteria?.judgement.type === 'missed' ? criteria.judgement.messages : [];
  if (missed.length > 0) return { judgement: { type: 'missed', messages: missed }, missedCriteria };
  if (unknown.length > 0) {
    return { judgement: { type: 'unknown', messages: unknown }, missedCriteria };
  }
  return { judgement: { type: 'met' }, missedCriteria };
}

/** The status with what is known of the checkpoint now; its place in the list stays. */
export function noteCheckpoint(
  status: RolloutStatus,
  entry: CheckpointStatus,
): readonly CheckpointStatus[] {
  const known = status.checkpoints ?? [];
  const isKnown = known.some((one) => one.name === entry.name);
  return isKnown ? known.map((one) => (one.name === entry.name ? entry : one)) : [...known, entry];
}

/** What is remembered of missed criteria, so that they are not judged at every look. */
export function criteriaMemory(
  { status }: RunView,
  missed: readonly string[],
): Pick<CheckpointStatus, 'criteria'> {
  if (missed.length === 0) return {};
  const since = toIso(windowStartMs(status));
  const generation = status.runGeneration;
  return {
    criteria: { since, ...(generation === undefined ? {} : { generation }), missed: [...missed] },
  };
}

function standingMiss({ status }: RunView, point: PlanPoint): Judgement | undefined {
  const known = status.checkpoints?.find((one) => one.name === point.name)?.criteria;
  const isStanding =
    known?.since === toIso(windowStartMs(status)) && known.generation === status.runGeneration;
  return isStanding ? { type: 'missed', messages: known.missed } : undefined;
}

function judge(
  view: RunView,
  requirement: Exclude<CheckpointRequirement, 'SuccessCriteria'>,
  point: PlanPoint,
): Judgement {
  switch (requirement) {
    case 'Preflight':
      return judgePreflight(view, point);
    case 'NoFiringTriggers': {
      const firing = view.triggers.filter(({ status }) => status.state === 'Firing');
      return missedUnlessEmpty(firing.map(({ status }) => `${status.name} still fires`));
    }
    case 'HealthSuites':
      return judgeSuites(view);
    default:
      return assertNever(requirement);
  }
}

function missedUnlessEmpty(messages: readonly string[]): Judgement {
  return messages.length === 0 ? { type: 'met' } : { type: 'missed', messages };
}

function judgeSuites(view: RunView): Judgement {
  const verdicts = view.run.suites.map((suite) => judgeSuite(view, suite));
  const missed = verdicts.flatMap((one) => (one.type === 'missed' ? one.messages : []));
  const unknown = verdicts.flatMap((one) => (one.type === 'unknown' ? one.messages : []));
  if (missed.length > 0) return { type: 'missed', messages: missed };
  return unknown.length > 0 ? { type: 'unknown', messages: unknown } : { type: 'met' };
}

/** The newest result, while it is valid, has no failure but known flaky ones. */
function judgeSuite({ snapshot, now }: RunView, suite: RunSuite): Judgement {
  const newest = newestResultAt(suiteOf(snapshot, suite.name)?.runs ?? [], now);
  if (newest === undefined) {
    return { type: 'unknown', messages: [`suite ${suite.name} has no result yet`] };
  }
  const { startedAtMs, finishedAtMs, outcome } = newest;
  if (now > startedAtMs + suite.intervalMs + suite.timeoutMs) {
    const message = `the last result of suite ${suite.name} came at ${clockText(finishedAtMs)}`;
    return { type: 'unknown', messages: [message] };
  }
  if (outcome.newFailures === 0) return { type: 'met' };
  const names = outcome.failures.slice(0, 5).join(', ');
  const noun = outcome.newFailures === 1 ? 'failure' : 'failures';
  const message = `suite ${suite.name} has ${outcome.newFailures} new ${noun}${names === '' ? '' : ` (${names})`}`;
  return { type: 'missed', messages: [message] };
}
