/** What the operator made of a decision: read from the decision, or from the rollout by whoever may not read that. */
import { decisionResource, rolloutResource } from '#api/names.ts';
import type { KubectlClient } from '#kube/kubectl-client.ts';
import { ClusterError, type KubeObject } from '#ports/cluster.ts';
import type { Terminal } from './command.ts';
import { listAt, textAt } from './fields.ts';
import { poll } from './one-rollout.ts';

export type Outcome =
  | {
      /** Expired is a refusal too. */
      readonly type: 'Applied' | 'Refused';
      /** The operator's sentence. */
      readonly message: string;
      readonly decision: KubeObject | undefined;
    }
  | { readonly type: 'unanswered'; readonly decision: KubeObject | undefined };

const POLL_MS = 250;

interface Waiting {
  readonly client: KubectlClient;
  readonly terminal: Terminal;
  readonly made: KubeObject;
  readonly rollout: KubeObject;
  readonly waitMs: number;
}

export async function awaitOutcome(waiting: Waiting): Promise<Outcome> {
  const { client, terminal, made, rollout, waitMs } = waiting;
  const unanswered = { type: 'unanswered', decision: undefined } as const;
  if (waitMs === 0) return unanswered;
  const { name, namespace = '', uid } = made.metadata;
  const signal = terminal.interrupted;
  let mayRead = true;
  const ofDecision = async (): Promise<Outcome | undefined> => {
    const decision = await client.get(decisionResource, { namespace, name }, signal);
    return outcomeOf(decision?.['status'], decision);
  };
  const ofRollout = async (): Promise<Outcome | undefined> => {
    const key = { namespace, name: rollout.metadata.name };
    const found = await client.get(rolloutResource, key, signal);
    const entry = listAt(found?.['status'], 'decisions').find((one) => textAt(one, 'uid') === uid);
    return outcomeOf(entry, undefined);
  };
  const ask = async (): Promise<Outcome | undefined> => {
    if (!mayRead) return await ofRollout();
    try {
      return await ofDecision();
    } catch (error) {
      if (!(error instanceof ClusterError) || error.fault !== 'forbidden') throw error;
      mayRead = false;
      return await ofRollout();
    }
  };
  const polling = { clock: terminal.clock, everyMs: POLL_MS, limitMs: waitMs, signal };
  return (await poll(polling, ask)) ?? unanswered;
}

function outcomeOf(entry: unknown, decision: KubeObject | undefined): Outcome | undefined {
  const outcome = textAt(entry, 'outcome');
  if (outcome === undefined) return undefined;
  const message = textAt(entry, 'message') ?? outcome;
  return { type: outcome === 'Applied' ? 'Applied' : 'Refused', message, decision };
}
