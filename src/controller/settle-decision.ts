/** What came of a GenesisDecision, written into its own status. */
import { decisionResource, fieldManager } from '#api/names.ts';
import type { Action } from '#core/decision.ts';
import { ClusterError } from '#ports/cluster.ts';
import type { ActionOutcome, Actor } from './act.ts';

type Settlement = Extract<Action, { type: 'SettleDecision' }>;

/**
 * A failure must not keep the rollout from being looked at in time: it is logged, and the next look tries again.
 * Guarded by uid: another decision of the same name is another decision.
 */
export async function settleDecision(
  { name, uid, outcome, message, runId, decidedAt }: Settlement,
  namespace: string,
  { cluster }: Actor,
  signal: AbortSignal,
): Promise<ActionOutcome> {
  const status = {
    outcome,
    message,
    decidedAt,
    ...(runId === undefined ? {} : { runId }),
    observedGeneration: 1,
  };
  const patch = { metadata: { uid }, status };
  const options = { subresource: 'status', fieldManager, signal } as const;
  try {
    await cluster.mergePatch(decisionResource, { namespace, name }, patch, options);
    return { type: 'done' };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    if (error.fault === 'notFound') return { type: 'done' };
    return {
      type: 'refused',
      message: `the outcome of decision ${name} could not be written: ${error.message}`,
    };
  }
}
