/**
 * One candidate of an election, as a process of its own that can be stopped and killed:
 *   node kube-elector.ts KUBECONFIG IDENTITY
 * While it leads it writes its name to a ConfigMap, as fast as it can. It says on stdout when it leads
 * and when it has lost.
 */
import { configMapResource } from '#api/names.ts';
import { createCluster, createElection } from '#kube/cluster-client.ts';
import { silentLogger } from '#ports/logger.ts';
import { systemClock as clock } from '#runtime/clock.ts';

const [, , path = '', identity = ''] = process.argv;
const source = { type: 'file', path } as const;
const shared = { source, version: 'test', clock, logger: silentLogger };
const election = createElection({ ...shared, namespace: 'default', name: 'test-lease', identity });
const cluster = createCluster({ ...shared, leadership: election });

const say = (word: string): boolean => process.stdout.write(`${word}\n`);

const ending = { isAsked: false };
process.on('SIGTERM', () => {
  ending.isAsked = true;
  election
    .release()
    .then(() => process.exit(0))
    .catch(() => process.exit(2));
});
// It must not outlive a test that was killed.
process.stdin.on('end', () => process.exit(3)).resume();
election.lost.addEventListener('abort', () => say('lost'));
election.start();
say('started');
await election.acquired;
say('leading');

const { signal } = new AbortController();
const key = { namespace: 'default', name: 'written-by' };
while (!election.lost.aborted) {
  try {
    await cluster.mergePatch(configMapResource, key, { data: { by: identity } }, { signal });
  } catch (error) {
    say(`refused ${String(error)}`);
  }
  await clock.sleep(5);
}
// Even now, with the lease lost, it tries.
await cluster
  .mergePatch(configMapResource, key, { data: { by: identity } }, { signal })
  .catch((error: unknown) => say(`refused ${String(error)}`));
if (election.lost.reason instanceof Error) say(`ended: ${election.lost.reason.message}`);
await cluster.close();
await election.release();
// As the operator does: only a new process may lead again.
if (!ending.isAsked) process.exit(1);
