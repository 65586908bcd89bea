/** Asks for a rollout again and again, shows it, and ends when what is waited for has come or cannot come. */
import { rolloutResource } from '#api/names.ts';
import { type ExitCode, exitCodes, Failure, type Terminal } from '#cli/command.ts';
import { textAt } from '#cli/fields.ts';
import { findRollout } from '#cli/find-rollout.ts';
import { lengthText } from '#cli/times.ts';
import type { KubectlClient } from '#kube/kubectl-client.ts';
import { ClusterError, type ClusterFault, type KubeObject } from '#ports/cluster.ts';
import { endingOf, type Until } from './ending.ts';

/** Where what is seen is shown. */
export interface Show {
  readonly show: (object: KubeObject) => void;
  /** Nothing is shown any more. */
  readonly close: () => void;
}

export interface Following {
  readonly client: KubectlClient;
  readonly name: string;
  readonly until: Until;
  /** Infinity is no limit. */
  readonly limitMs: number;
  readonly terminal: Terminal;
  readonly shown: Show;
}

const POLL_MS = 1_000;
/** The API server is gone for a moment when it is upgraded: nothing is said about less than this. */
const QUIET_MS = 5_000;
const passing: readonly ClusterFault[] = ['unavailable', 'timeout', 'throttled', 'gone'];

export async function follow(following: Following): Promise<ExitCode> {
  const { client, name, until, limitMs, terminal, shown } = following;
  const { clock, interrupted } = terminal;
  const startMs = clock.monotonic();
  const ask = patiently(following);
  let object: KubeObject | undefined = await findRollout(client, name, interrupted);
  let phase = '';
  for (;;) {
    if (object !== undefined) {
      shown.show(object);
      phase = textAt(object['status'], 'phase') ?? 'New';
      const ending = endingOf(object, until);
      if (ending?.type === 'reached') return exitCodes.asExpected;
      if (ending !== undefined) throw new Failure(ending.exit, [ending.message]);
    }
    const leftMs = startMs + limitMs - clock.monotonic();
    if (leftMs <= 0) {
      const wanted = until === 'done' ? 'over' : until;
      throw new Failure('timedOut', [
        `${name} is not ${wanted} after ${lengthText(limitMs)}: it is ${phase}`,
      ]);
    }
    await clock.sleep(Math.min(POLL_MS, leftMs), interrupted);
    object = await ask();
  }
}

/** Undefined while the API server does not answer, which passes; said once each time. */
function patiently(following: Following): () => Promise<KubeObject | undefined> {
  const { client, name, terminal } = following;
  const { clock, interrupted, err } = terminal;
  let silentSinceMs: number | undefined;
  let isSaid = false;
  return async () => {
    try {
      const found = await client.get(
        rolloutResource,
        { namespace: client.namespace, name },
        interrupted,
      );
      silentSinceMs = undefined;
      isSaid = false;
      if (found !== undefined) return found;
    } catch (error) {
      const passes = error instanceof ClusterError && passing.includes(error.fault);
      if (!passes || interrupted.aborted) throw error;
      silentSinceMs ??= clock.monotonic();
      if (!isSaid && clock.monotonic() - silentSinceMs >= QUIET_MS) {
        isSaid = true;
        err(`${client.server} does not answer; asking again\n`);
      }
      return undefined;
    }
    throw new Failure('notFound', [`rollout ${name} has been deleted`]);
  };
}
