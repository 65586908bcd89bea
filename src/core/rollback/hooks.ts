/**
 * The Jobs of `rollback.hooks`. Each has one name in a run, and its entry in the status is written before it is
 * created, so that no crash runs one twice.
 */
import type { RollbackHookStatus, RollbackStatus } from '#api/status.ts';
import type { Action } from '#core/decision.ts';
import type { RunHook } from '#core/run-spec.ts';
import { toIso } from '#core/time.ts';
import type { RunView } from '#core/view.ts';
import type { StageLook } from './stage.ts';

const LOOK_EVERY_MS = 2_000;

/** The name of the Job, the same for everyone who looks after this run. */
export function hookJobName(runId: string, hook: Pick<RunHook, 'name'>): string {
  return `genesis-rollback-${runId}-${hook.name}`;
}

/** Brings every hook that belongs to one of these stages up to now: those not begun yet begin. */
export function advanceHooks(
  view: RunView,
  rollback: RollbackStatus,
  stages: readonly string[],
): RollbackStatus {
  const due = view.run.rollback.hooks.filter(({ stage }) => stages.includes(stage));
  const known = rollback.hooks ?? [];
  const begun = due
    .filter((hook) => !known.some(({ name }) => name === hook.name))
    .map((hook) => begin(view, hook));
  if (known.length + begun.length === 0) return rollback;
  return { ...rollback, hooks: [...known.map((entry) => seen(view, entry)), ...begun] };
}

function begin({ now, runId }: RunView, { name, stage }: RunHook): RollbackHookStatus {
  const job = hookJobName(runId, { name });
  return { name, stage, job, startedAt: toIso(now), outcome: 'Running' };
}

function seen({ now, snapshot }: RunView, entry: RollbackHookStatus): RollbackHookStatus {
  if (entry.outcome !== 'Running') return entry;
  const state = snapshot.jobs.get(entry.job);
  switch (state?.type) {
    case 'succeeded':
      return { ...entry, outcome: 'Succeeded', finishedAt: toIso(now) };
    case 'failed':
      return { ...entry, outcome: 'Failed', finishedAt: toIso(now), message: state.message };
    default:
      return entry;
  }
}

/** Creates what is begun and not there: a Job that exists is left as it is. */
export function hookActions({ snapshot, run, runId }: RunView, rollback: RollbackStatus): Action[] {
  return (rollback.hooks ?? []).flatMap((entry): Action[] => {
    const hook = run.rollback.hooks.find(({ name }) => name === entry.name);
    if (hook === undefined || entry.outcome !== 'Running') return [];
    if (snapshot.jobs.has(entry.job)) return [];
    return [{ type: 'RunJob', name: entry.job, runId, jobTemplate: hook.jobTemplate }];
  });
}

/** How far the hooks of these stages are. */
export function lookAtHooks(
  { now }: RunView,
  { hooks = [] }: RollbackStatus,
  stages: readonly string[],
): StageLook {
  const own = hooks.filter(({ stage }) => stages.includes(stage));
  if (own.length === 0) return { type: 'skipped', message: 'no hook is configured' };
  const names = (outcome: string) =>
    own.filter((entry) => entry.outcome === outcome).map(({ job }) => `Job ${job}`);
  const running = names('Running');
  if (running.length > 0) {
    const message = `waiting for ${running.join(', ')}`;
    return { type: 'waiting', message, wakeAtMs: now + LOOK_EVERY_MS };
  }
  const failed = own.filter(({ outcome }) => outcome !== 'Succeeded');
  if (failed.length > 0) {
    const message = failed
      .map(({ job, outcome, message: why }) => `Job ${job} ${outcome.toLowerCase()}: ${why ?? ''}`)
      .join('; ');
    return { type: 'failed', message };
  }
  return { type: 'succeeded', message: `${names('Succeeded').join(', ')} succeeded` };
}

/** The stage's budget is over: what still runs is no longer waited for. */
export function giveUpHooks(
  rollback: RollbackStatus,
  stages: readonly string[],
  now: number,
): RollbackStatus {
  const { hooks } = rollback;
  if (hooks === undefined) return rollback;
  const message = 'still running when the budget of its stage was over';
  return {
    ...rollback,
    hooks: hooks.map((entry) =>
      entry.outcome === 'Running' && stages.includes(entry.stage)
        ? { ...entry, outcome: 'Overrun', finishedAt: toIso(now), message }
        : entry,
    ),
  };
}
