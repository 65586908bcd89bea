/**
 * Every state that a GenesisRollout can be found in, as the engine writes it, with what GitOps tools shall make of it. The
 * engine runs here in virtual time, so nothing of these objects is written by hand.
 */
import type { RolloutSpecInput } from '#api/rollout.ts';
import { type RequestVerb, requestVerbs } from '#core/requests.ts';
import {
  errorsTrigger,
  HOUR,
  halfForTenHours,
  MINUTE,
  SECOND,
  T0,
  threeSteps,
} from '#test/builders.ts';
import { EngineHarness, type HarnessOptions } from '#test/engine-harness.ts';
import { failingCanary } from '#test/failing-canary.ts';

export type ArgoHealth = 'Progressing' | 'Suspended' | 'Degraded' | 'Healthy';
/** What kstatus computes, which Flux and Helm go by. */
export type KStatus = 'InProgress' | 'Failed' | 'Current';

export interface RolloutState {
  /** The name of its file among the test data. */
  readonly name: string;
  readonly health: ArgoHealth;
  /** Where it is not the message of the status: another text, or the condition whose message it is. */
  readonly message?: string;
  readonly messageOf?: 'Stalled' | 'Accepted';
  readonly kstatus: KStatus;
  /** With docs/gitops-flux.md's expressions: whether the spec is taken on. */
  readonly accepted: KStatus;
  readonly reach: () => EngineHarness;
}

type Reach = (harness: EngineHarness) => void;

/** At 50 %, half an hour before the next step. */
const MIDDLE = T0 + 90 * MINUTE;

const schedule = (extra: object): Partial<RolloutSpecInput> => ({
  schedule: { ...threeSteps, ...extra },
});
const lastStep = (approval: object): Partial<RolloutSpecInput> =>
  schedule({
    steps: threeSteps.steps.map((step) => (step.name === 'full' ? { ...step, approval } : step)),
  });

const moving = { health: 'Progressing', kstatus: 'InProgress', accepted: 'Current' } as const;
const waiting = { ...moving, health: 'Suspended' } as const;
const broken = { health: 'Degraded', kstatus: 'Failed', accepted: 'Failed' } as const;

export const rolloutStates: readonly RolloutState[] = [
  {
    name: 'new',
    ...moving,
    message: 'waiting for the operator to read the spec',
    accepted: 'InProgress',
    reach: () => new EngineHarness(),
  },
  {
    name: 'preflight',
    ...moving,
    reach: () => until(T0 + MINUTE, { world: { skewMs: 60_000 } }),
  },
  {
    name: 'entering_step',
    ...moving,
    reach: () => {
      const harness = until(T0 + HOUR - SECOND);
      harness.route().settled = false;
      harness.runFor(MINUTE);
      return harness;
    },
  },
  { name: 'waiting_for_step', ...moving, reach: () => until(MIDDLE) },
  {
    name: 'edited',
    ...moving,
    message: 'waiting for the operator to read the spec',
    accepted: 'InProgress',
    reach: () => then(until(MIDDLE), (harness) => harness.edit({ historyLimit: 3 })),
  },
  {
    name: 'held_by_missing_readings',
    ...moving,
    reach: () =>
      until(T0 + 2 * HOUR + MINUTE, {
        world: { fault: (nowMs) => (nowMs > MIDDLE ? 'unreachable' : undefined) },
      }),
  },
  {
    name: 'held_by_freeze',
    ...moving,
    reach: () => {
      const night = { name: 'night', cron: '45 13 * * *', duration: '10h', timeZone: 'UTC' };
      return until(T0 + 3 * HOUR, { spec: schedule({ freeze: [night] }) });
    },
  },
  {
    name: 'held_for_approval',
    ...waiting,
    reach: () => until(T0 + 3 * HOUR, { spec: lastStep({}) }),
  },
  {
    name: 'held_by_expired_approval',
    ...waiting,
    reach: () => until(T0 + 3 * HOUR, { spec: lastStep({ expiresAfter: '5m' }) }),
  },
  {
    name: 'held_by_rejection',
    ...waiting,
    reach: () => {
      const reject = { decision: 'Reject', step: 'full' } as const;
      return then(
        then(until(MIDDLE), (harness) => harness.decide(reject)),
        (harness) => harness.runUntil(T0 + 3 * HOUR),
      );
    },
  },
  {
    name: 'held_by_older_version',
    ...waiting,
    reach: () => until(T0 + HOUR, { route: { weight: 100 } }),
  },
  {
    name: 'held_by_missed_criteria',
    ...waiting,
    reach: () =>
      until(T0 + 4 * HOUR, {
        spec: {
          success: {
            criteria: [{ name: 'slow', query: 'slow', condition: '< 1', for: '1m' }],
            onFailure: 'Hold',
          },
        },
        world: { series: (query) => (query === 'slow' ? 2 : 0) },
      }),
  },
  {
    name: 'paused_in_git',
    ...waiting,
    reach: () => settled(until(MIDDLE), (harness) => harness.edit({ paused: true })),
  },
  {
    name: 'paused_by_person',
    ...waiting,
    reach: () => settled(until(MIDDLE), (harness) => harness.annotate('pause argocd-1')),
  },
  {
    name: 'monitoring',
    ...moving,
    reach: () => until(T0 + 190 * MINUTE, { spec: { success: { thenMonitorFor: '1h' } } }),
  },
  {
    name: 'succeeded',
    health: 'Healthy',
    kstatus: 'Current',
    accepted: 'Current',
    reach: () => until(T0 + 4 * HOUR),
  },
  {
    name: 'rolling_back',
    ...broken,
    kstatus: 'InProgress',
    accepted: 'Current',
    reach: () => {
      const failing = (query: string, atMs: number) =>
        query.includes('"new"') && atMs >= MIDDLE ? 1 : 0;
      return until(MIDDLE + 6 * MINUTE, {
        spec: { rollback: { baseline: [{ name: 'calm', query: 'calm', condition: '< 1' }] } },
        world: { series: (query, atMs) => (query === 'calm' ? 2 : failing(query, atMs)) },
      });
    },
  },
  {
    name: 'rollback_stuck',
    ...broken,
    kstatus: 'InProgress',
    accepted: 'Current',
    reach: () => {
      const harness = failingCanary();
      harness.world.write = () => 'lost';
      harness.runFor(5 * MINUTE);
      return harness;
    },
  },
  {
    name: 'rolled_back',
    ...broken,
    reach: () => then(failingCanary(), (harness) => harness.runFor(2 * HOUR)),
  },
  {
    name: 'aborted',
    ...broken,
    reach: () =>
      then(
        settled(until(MIDDLE), (harness) => harness.annotate('abort argocd-1')),
        (harness) => harness.runFor(HOUR),
      ),
  },
  {
    name: 'invalid_spec',
    ...broken,
    reach: () => until(T0 + MINUTE, { spec: { schedule: { steps: [], end: 'never' } } }),
  },
  {
    name: 'invalid_edit',
    ...broken,
    messageOf: 'Stalled',
    kstatus: 'InProgress',
    reach: () => {
      const trigger = { ...errorsTrigger, query: 'rate(' };
      return settled(until(MIDDLE), (harness) => harness.edit({ triggers: [trigger] }));
    },
  },
  {
    name: 'route_conflict',
    ...broken,
    reach: () => {
      const harness = new EngineHarness();
      harness.conflict = 'elder';
      harness.runUntil(T0 + MINUTE);
      return harness;
    },
  },
  {
    name: 'rejected_revision',
    ...broken,
    messageOf: 'Accepted',
    kstatus: 'InProgress',
    reach: () => {
      const harness = until(MIDDLE, {
        spec: { schedule: halfForTenHours, onNewRevision: 'Reject' },
      });
      return settled(harness, (one) => one.edit({ revision: 'v3' }));
    },
  },
  {
    name: 'rejected_revision_after_end',
    ...broken,
    messageOf: 'Accepted',
    reach: () => {
      const harness = until(MIDDLE, { spec: { onNewRevision: 'Reject' } });
      harness.edit({ revision: 'v3' });
      harness.runUntil(T0 + 4 * HOUR);
      return harness;
    },
  },
];

export function healthMessage({ reach, message, messageOf }: RolloutState): string {
  if (message !== undefined) return message;
  const harness = reach();
  const said = messageOf === undefined ? harness.status : harness.condition(messageOf);
  return said?.message ?? '';
}

/** What the operator would say to each verb of `genesis.dev/request` in this state. */
export function possibleVerbs({ reach }: RolloutState): readonly RequestVerb[] {
  return requestVerbs.filter((verb) => {
    const harness = reach();
    // Before the operator has looked there is nothing to ask for.
    if (harness.status.runId === undefined) return false;
    // A second pause changes nothing.
    if (verb === 'pause' && harness.status.phase === 'Paused') return false;
    harness.annotate(`${verb} argocd-2`);
    harness.runFor(SECOND);
    const { lastRequestToken, decisions } = harness.status;
    const [newest] = decisions ?? [];
    const isAnswered = lastRequestToken === 'argocd-2' && newest?.decision.toLowerCase() === verb;
    return isAnswered && newest.outcome === 'Applied';
  });
}

function until(atMs: number, options: HarnessOptions = {}): EngineHarness {
  // Fewer looks, since the objects are made anew in each `npm run gen`.
  const spec = { analysis: { interval: '1m' }, ...options.spec };
  return then(new EngineHarness({ ...options, spec }), (harness) => harness.runUntil(atMs));
}

function then(harness: EngineHarness, act: Reach): EngineHarness {
  act(harness);
  return harness;
}

/** What somebody does, and the operator's answer to it. */
function settled(harness: EngineHarness, act: Reach): EngineHarness {
  act(harness);
  harness.runFor(SECOND);
  return harness;
}
