/** Every state that a GenesisDecision can be found in, as the engine settles it. */
import type { DecisionSpec } from '#api/decision.ts';
import { MINUTE, namespace, rolloutName, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';
import type { ArgoHealth, KStatus } from './rollout-states.ts';

export interface DecisionState {
  readonly name: string;
  readonly health: ArgoHealth;
  readonly kstatus: KStatus;
  readonly spec: Pick<DecisionSpec, 'decision' | 'step' | 'expiresAt'>;
  readonly isSeen?: boolean;
}

export const decisionStates: readonly DecisionState[] = [
  {
    name: 'new',
    health: 'Progressing',
    kstatus: 'InProgress',
    spec: { decision: 'Pause' },
    isSeen: false,
  },
  { name: 'applied', health: 'Healthy', kstatus: 'Current', spec: { decision: 'Pause' } },
  { name: 'refused', health: 'Degraded', kstatus: 'Current', spec: { decision: 'Retry' } },
  {
    name: 'expired',
    health: 'Degraded',
    kstatus: 'Current',
    spec: { decision: 'Pause', expiresAt: '2026-11-22T12:00:30Z' },
  },
];

/** As the API server hands it out. */
export function decisionObject({ spec, isSeen = true }: DecisionState) {
  const harness = new EngineHarness();
  harness.runUntil(T0 + MINUTE);
  const made = harness.decide(spec);
  if (isSeen) harness.runFor(0);
  const outcome = harness.decisions.outcomes.get(made);
  return {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisDecision',
    metadata: { name: made, namespace, generation: 1 },
    spec: { rollout: rolloutName, revision: 'v2', by: 'alice@example.com', ...spec },
    status:
      outcome === undefined ? { observedGeneration: -1 } : { ...outcome, observedGeneration: 1 },
  };
}
