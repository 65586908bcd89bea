/** A rollout with a step that wants an approval, and what has become of the decisions about it. */
import type { RolloutSpecInput } from '#api/rollout.ts';
import { threeSteps } from './builders.ts';
import { EngineHarness } from './engine-harness.ts';

type ApprovalInput = NonNullable<
  NonNullable<RolloutSpecInput['schedule']>['steps'][number]['approval']
>;

export const approve = { decision: 'Approve', step: 'half' } as const;

/** `half` is due at 13:00 and wants an approval. */
export function withApproval(approval: ApprovalInput = {}): EngineHarness {
  const steps = threeSteps.steps.map((step) =>
    step.name === 'half' ? { ...step, approval } : step,
  );
  const harness = new EngineHarness({ spec: { schedule: { ...threeSteps, steps } } });
  harness.author = 'carol';
  return harness;
}

export function outcomeOf(harness: EngineHarness, name: string): string | undefined {
  return harness.decisions.outcomes.get(name)?.outcome;
}

export function messageOf(harness: EngineHarness, name: string): string {
  return harness.decisions.outcomes.get(name)?.message ?? '';
}
