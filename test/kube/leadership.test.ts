/** The lease election under faults, in virtual time. At no moment may two processes write. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createElection } from '#kube/cluster-client.ts';
import { createAlwaysLeader, type Election } from '#kube/leadership.ts';
import { ClusterError } from '#ports/cluster.ts';
import { silentLogger } from '#ports/logger.ts';
import { FaultServer } from './fault-server.ts';
import { refuse, type SeenRequest } from './server-verbs.ts';
import { until } from './until.ts';
import { VirtualClock } from './virtual-clock.ts';

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/genesis/leases/rollout';

describe('an election', () => {
  let server: FaultServer;
  let clock: VirtualClock;
  let elections: Election[];

  beforeEach(async () => {
    server = await FaultServer.start();
    clock = new VirtualClock();
    elections = [];
  });

  afterEach(async () => {
    server.fail(
      () => true,
      (request) => refuse(request, 500, 'InternalError'),
      1_000,
    );
    await Promise.all(elections.map((election) => election.release()));
    await server.close();
  });

  /** Each candidate is known to the server by its user agent. */
  function candidate(
    identity: string,
    ownClock = clock,
    isGone: (holder: string) => boolean = () => false,
  ): Election {
    const election = createElection({
      isGone,
      source: server.source,
      version: identity,
      clock: ownClock,
      logger: silentLogger,
      namespace: 'genesis',
      name: 'rollout',
      identity,
      random: () => 0,
    });
    elections.push(election);
    election.start();
    return election;
  }

  async function leader(identity: string): Promise<Election> {
    const election = candidate(identity);
    await until(`${identity} leads`, () => election.mayWrite());
    return election;
  }

  /** Small steps, with room for answers; never do two of them lead. Returns the seconds passed. */
  async function pass(
    limitMs: number,
    isOver: () => boolean = () => false,
    stepMs = 100,
  ): Promise<number> {
    let passedMs = 0;
    while (passedMs < limitMs && !isOver()) {
      await clock.advance(stepMs);
      await sleep(2);
      passedMs += stepMs;
      const writers = elections.filter((election) => election.mayWrite());
      assert.ok(writers.length <= 1, `${writers.length} may write`);
    }
    return passedMs / 1_000;
  }

  const spec = (): Record<string, unknown> =>
    server.store.objects.get(LEASE)?.['spec'] as Record<string, unknown>;
  const of =
    (identity: string) =>
    ({ headers }: SeenRequest): boolean =>
      headers['user-agent'] === `genesis-rollout/${identity}`;
  const hang = (): void => undefined;

  it('takes a lease at once whose holder is known to be dead, and waits for any other', async () => {
    server.store.put(LEASE, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'rollout', namespace: 'genesis' },
      spec: { holderIdentity: 'dead', leaseDurationSeconds: 15 },
    });
    const waiting = candidate('waiting');
    await until('the waiting one has looked', () => waiting.holder === 'dead');
    assert.equal(waiting.mayWrite(), false);
    const heir = candidate('heir', clock, (holder) => holder === 'dead');
    await until('the heir leads', () => heir.mayWrite());
    assert.equal(waiting.mayWrite(), false);
  });

  it('is won by the first, who says so as other components do', async () => {
    const first = await leader('a');
    assert.equal(first.isLeading, true);
    assert.equal(first.holder, 'a');
    await first.acquired;
    const { acquireTime, renewTime, ...rest } = spec();
    assert.deepEqual(rest, {
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
    });
    assert.match(String(renewTime), /^2026-11-22T\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.equal(acquireTime, renewTime);
  });

  it('keeps its winner for hours, with one write every two seconds and no read', async () => {
    const first = await leader('a');
    const before = server.requests.length;
    await pass(60_000);
    assert.equal(first.mayWrite(), true);
    const methods = server.requests.slice(before).map(({ method }) => method);
    assert.ok(methods.length >= 28 && methods.length <= 30, `${methods.length} requests`);
    assert.deepEqual([...new Set(methods)], ['PUT']);
  });

  it('is not won by a second while the first renews', async () => {
    await leader('a');
    const second = candidate('b');
    await pass(60_000);
    assert.equal(second.isLeading, false);
    assert.equal(second.holder, 'a');
  });

  it('goes to the second within 20 s when the first is gone, and not before 15 s', async () => {
    await leader('a');
    const second = candidate('b');
    await pass(5_000);
    server.fail(of('a'), hang, 1_000);
    const seconds = await pass(30_000, () => second.mayWrite());
    assert.ok(seconds >= 13 && seconds <= 18, `after ${seconds} s`);
    assert.equal(spec()['leaseTransitions'], 1);
  });

  it('is over for the first before the second can win, also when its network is gone', async () => {
    const first = await leader('a');
    const second = candidate('b');
    await pass(5_000);
    server.fail(of('a'), hang, 1_000);
    const lostAfter = await pass(30_000, () => first.lost.aborted);
    assert.ok(lostAfter <= 10.2, `lost after ${lostAfter} s`);
    assert.equal(second.mayWrite(), false);
    assert.ok(first.lost.reason instanceof ClusterError);
    assert.equal(first.lost.reason.fault, 'fenced');
    await pass(20_000, () => second.mayWrite());
    assert.equal(second.mayWrite(), true);
  });

  it('is judged by local time: a holder whose clock is an hour behind, or ahead, keeps its lease', async () => {
    const skewed = new VirtualClock();
    skewed.step(-3_600_000);
    const first = candidate('a', skewed);
    await until('a leads', () => first.mayWrite());
    const second = candidate('b');
    for (let round = 0; round < 100; round += 1) {
      await skewed.advance(200);
      await clock.advance(200);
      await sleep(2);
    }
    assert.equal(first.mayWrite(), true);
    assert.equal(second.isLeading, false);
    skewed.step(7_200_000);
    for (let round = 0; round < 100; round += 1) {
      await skewed.advance(200);
      await clock.advance(200);
      await sleep(2);
    }
    assert.equal(first.mayWrite(), true);
    assert.equal(second.isLeading, false);
  });

  it('after a stall of the event loop the very first question is answered with no', async () => {
    const first = await leader('a');
    clock.stall(10_001);
    assert.equal(first.mayWrite(), false);
    assert.equal(first.lost.aborted, true);
  });

  it('after a suspended virtual machine it writes only once a renewal has shown that it may', async () => {
    const first = await leader('a');
    clock.step(60_000);
    assert.equal(first.mayWrite(), false);
    assert.equal(first.lost.aborted, false);
    await pass(3_000);
    assert.equal(first.mayWrite(), true);
  });

  it('a wall clock that is set back changes nothing', async () => {
    const first = await leader('a');
    clock.step(-3_600_000);
    assert.equal(first.mayWrite(), true);
    await pass(30_000);
    assert.equal(first.mayWrite(), true);
  });

  it('survives a short outage', async () => {
    const first = await leader('a');
    const second = candidate('b');
    server.fail(
      () => true,
      (request) => refuse(request, 503, 'ServiceUnavailable'),
      4,
    );
    await pass(30_000);
    assert.equal(first.mayWrite(), true);
    assert.equal(second.isLeading, false);
  });

  it('survives somebody else writing to the lease', async () => {
    const first = await leader('a');
    const lease = server.store.objects.get(LEASE) ?? assert.fail();
    const labels = { team: 'shop' };
    server.store.put(LEASE, { ...lease, metadata: { ...lease.metadata, labels } });
    await pass(10_000);
    assert.equal(first.mayWrite(), true);
    assert.deepEqual(server.store.objects.get(LEASE)?.metadata.labels, labels);
  });

  it('is lost at once when the lease says another name', async () => {
    const first = await leader('a');
    const lease = server.store.objects.get(LEASE) ?? assert.fail();
    server.store.put(LEASE, { ...lease, spec: { ...spec(), holderIdentity: 'b' } });
    await pass(2_500);
    assert.equal(first.mayWrite(), false);
    assert.equal(first.lost.aborted, true);
  });

  it('an answer that was lost does not cost 15 seconds', async () => {
    server.fail(
      ({ method }) => method === 'POST',
      (request, own) => {
        own.behave({ ...request, response: { writeHead: hang, end: hang } as never });
        request.response.destroy();
      },
    );
    const first = candidate('a');
    const seconds = await pass(10_000, () => first.mayWrite());
    assert.ok(seconds < 4, `after ${seconds} s`);
  });

  it('is given back at the end, and won by the next within its retry', async () => {
    const first = await leader('a');
    const second = candidate('b');
    await pass(5_000);
    await Promise.all([first.release(), first.release()]);
    assert.equal(first.mayWrite(), false);
    assert.equal(first.lost.aborted, true);
    assert.equal(spec()['holderIdentity'], '');
    const seconds = await pass(10_000, () => second.mayWrite());
    assert.ok(seconds <= 2.2, `after ${seconds} s`);
  });

  it('a standby that ends leaves the lease alone', async () => {
    await leader('a');
    const second = candidate('b');
    await pass(3_000);
    await second.release();
    assert.equal(spec()['holderIdentity'], 'a');
    assert.equal(second.lost.aborted, false);
  });

  it('does not begin with times that cannot be safe', () => {
    const make = (retryMs: number): Election =>
      createElection({
        source: server.source,
        version: 'x',
        clock,
        logger: silentLogger,
        namespace: 'genesis',
        name: 'rollout',
        identity: 'x',
        retryMs,
      });
    assert.throws(() => make(9_000), /lease duration \(15000 ms\) > renew deadline \(10000 ms\)/);
  });

  it('never has two writers, whatever is refused, hung or cut, in five random minutes', async () => {
    let state = 7;
    const random = (): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    let identities = ['a', 'b', 'c'];
    for (const identity of identities) candidate(identity);
    let terms = 0;
    for (let round = 0; round < 15; round += 1) {
      const victim = identities[Math.floor(random() * identities.length)] ?? 'a';
      const fault = [
        hang,
        (request: SeenRequest) => refuse(request, 500, 'InternalError'),
        ({ response }: SeenRequest) => void response.destroy(),
      ][Math.floor(random() * 3)];
      server.fail(of(victim), fault ?? hang, Math.ceil(random() * 8));
      await pass(20_000, () => false, 250);
      // A leader that has lost ends its process, and another takes its place.
      for (const [index, election] of [...elections.entries()].reverse()) {
        if (!election.lost.aborted) continue;
        terms += 1;
        elections.splice(index, 1);
        const released = election.release();
        await pass(6_000, () => false, 250);
        await released;
        identities = identities.toSpliced(index, 1).concat(`next-${terms}`);
        candidate(`next-${terms}`);
      }
    }
    assert.ok(terms >= 1, 'the faults ended no term: the test shows nothing');
  });
});

describe('without an election', () => {
  it('the only process leads until it ends', async () => {
    const only = createAlwaysLeader();
    await only.acquired;
    assert.equal(only.mayWrite(), true);
    await only.release();
    assert.equal(only.mayWrite(), false);
    assert.equal(only.lost.aborted, true);
  });
});
