/** The plan of a spec: steps, checkpoints and the end in order of time, with what each of them needs; and its freezes. */
import { defaultPlan } from '#api/defaults.ts';
import { parseDuration } from '#api/duration.ts';
import type { Checkpoint, RolloutSpec, Step } from '#api/rollout.ts';
import { freezeProblems } from './freeze.ts';
import type { FreezeWindow, PlanPoint, PointApproval } from './run-spec.ts';

/** What a schedule of one's own and the default plan have in common. */
interface PlanSource {
  readonly steps: readonly Pick<Step, 'name' | 'at' | 'weight' | 'approval'>[];
  readonly checkpoints: readonly (Pick<Checkpoint, 'name' | 'at' | 'require'> &
    Partial<Pick<Checkpoint, 'onFailure'>>)[];
  readonly end: string;
}

/** Steps, checkpoints and the end in order of time; at the same time a checkpoint stands before a step. */
export function resolvePoints(spec: RolloutSpec): PlanPoint[] {
  const schedule: PlanSource = spec.schedule ?? defaultPlan.schedule;
  const base = {
    weight: undefined,
    approval: undefined,
    requirements: [],
    unjudged: [],
    onFailure: 'Hold',
  } as const;
  const checkpoints = schedule.checkpoints.map(
    ({ name, at, require, onFailure = 'Hold' }): PlanPoint => ({
      ...base,
      name,
      kind: 'Checkpoint',
      atMs: parseDuration(at),
      requirements: require,
      onFailure,
    }),
  );
  const steps = schedule.steps.map(
    ({ name, at, weight, approval }): PlanPoint => ({
      ...base,
      name,
      kind: 'Step',
      atMs: parseDuration(at),
      weight,
      approval: approval === undefined ? undefined : resolveApproval(approval),
    }),
  );
  const end: PlanPoint = {
    ...base,
    name: 'end',
    kind: 'End',
    atMs: parseDuration(schedule.end),
    // What `success` asks for has a rule of its own.
  };
  // A stable sort keeps the order that the schema has already checked within each kind.
  return [...[...checkpoints, ...steps].sort((a, b) => a.atMs - b.atMs), end];
}

function resolveApproval(approval: NonNullable<Step['approval']>): PointApproval {
  const { quorum, notBy, expiresAfter, onExpiry } = approval;
  return {
    quorum,
    isAuthorExcluded: notBy === 'Author',
    expiresAfterMs: expiresAfter === undefined ? undefined : parseDuration(expiresAfter),
    onExpiry,
  };
}

/** Windows that can be read; a sentence is added to `problems` for each of the others. */
export function resolveFreezes(spec: RolloutSpec, problems: string[]): FreezeWindow[] {
  return (spec.schedule?.freeze ?? []).flatMap((freeze, index) => {
    const { name, cron, timeZone, reason } = freeze;
    const found = freezeProblems(`spec.schedule.freeze[${index}] (${name})`, freeze);
    problems.push(...found);
    if (found.length > 0) return [];
    return [{ name, cron, timeZone, durationMs: parseDuration(freeze.duration), reason }];
  });
}
