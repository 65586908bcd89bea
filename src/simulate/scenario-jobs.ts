/** How the Jobs of a rollback's hooks go: each succeeds as it is created, unless the scenario says otherwise. */
import { parseDuration } from '#api/duration.ts';
import type { RolloutSpec } from '#api/rollout.ts';
import type { JobState } from '#core/snapshot.ts';
import type { JobInput } from './scenario.ts';

export function jobProblems(jobs: readonly JobInput[], spec: RolloutSpec): readonly string[] {
  const known = [...new Set(spec.rollback.hooks.map((hook) => hook.stage))];
  return jobs.flatMap(({ stage }, index) => {
    if (known.some((one) => one === stage)) return [];
    const allowed = known.length === 0 ? 'there is none' : `there are hooks of ${known.join(', ')}`;
    return [
      `jobs[${index}].stage: ${JSON.stringify(stage)} has no hook in spec.rollback.hooks; ${allowed}`,
    ];
  });
}

/** @param stage the stage of the hook that the Job belongs to */
export function jobStateAt(
  stage: string | undefined,
  time: { readonly createdAtMs: number; readonly nowMs: number },
  jobs: readonly JobInput[],
): JobState {
  const said = jobs.find((one) => one.stage === stage);
  const endsAtMs = time.createdAtMs + (said === undefined ? 0 : parseDuration(said.takes));
  if (time.nowMs < endsAtMs) return { type: 'running' };
  return said?.error === undefined
    ? { type: 'succeeded' }
    : { type: 'failed', message: said.error };
}
