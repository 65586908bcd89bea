/**
 * The shell of the controller over a cluster in memory. The real routers, records and Jobs are in it; what lies outside of the
 * operator, a simulation gives whole, and whoever needs less of it begins with a quiet world.
 */
import { DecisionIndex } from '#controller/decisions.ts';
import { noEvidence } from '#controller/evidence.ts';
import { noManifests } from '#controller/manifest-keeper.ts';
import type { Reconciler } from '#controller/reconcile.ts';
import { RolloutIndex } from '#controller/rollout-index.ts';
import { Specs } from '#controller/specs.ts';
import type { QueryFacts } from '#core/resolve-measure.ts';
import { createJobRunner } from '#kube/job-runner.ts';
import type { Clock } from '#ports/clock.ts';
import type { Cluster } from '#ports/cluster.ts';
import { silentLogger } from '#ports/logger.ts';
import { noAnnouncer } from '#ports/notifier.ts';
import { inspectQuery } from '#promql/inspect-query.ts';
import { createRouters } from '#routers/index.ts';
import { createWorkloads } from '#routers/workloads.ts';
import { RightOfWay } from '#runtime/right-of-way.ts';
import { Turns } from '#runtime/turns.ts';
import { noProber, noSuites } from '#test/fakes/sources.ts';
import { assertStands } from '#test/stands.ts';

/** What the operator asks, and whom it tells. */
type Outside =
  | 'ask'
  | 'endpoints'
  | 'evidence'
  | 'prober'
  | 'suites'
  | 'chain'
  | 'decisionPolicy'
  | 'events';

/** Thousands of worlds are watched by the same few queries. */
const inspected = new Map<string, QueryFacts>();

function inspectOnce(query: string): QueryFacts {
  const facts = inspected.get(query) ?? inspectQuery(query);
  inspected.set(query, facts);
  return facts;
}

/** The shell without its outside. */
export function innerShell(clock: Clock, cluster: Cluster): Omit<Reconciler, Outside> {
  return {
    clock,
    cluster,
    rightOfWay: new RightOfWay(clock),
    turns: new Turns({ placesMax: Number.POSITIVE_INFINITY, call: () => undefined }),
    manifests: noManifests,
    routers: createRouters(cluster, silentLogger),
    workloads: createWorkloads({
      cluster,
      logger: silentLogger,
      watchState: () => ({ type: 'synced' }),
    }),
    index: new RolloutIndex(),
    specs: new Specs(inspectOnce),
    jobs: createJobRunner(cluster),
    decisions: new DecisionIndex(),
    routesWatched: () => Promise.resolve(),
    observer: {
      decided: (_, snapshot, decision) => assertStands(snapshot, decision),
      reconciled: () => undefined,
      forgotten: () => undefined,
    },
    people: noAnnouncer,
    logger: silentLogger,
  };
}

/** Everybody is Ready, nobody is probed, and nothing is kept, unless `own` says otherwise. */
export function quietShell(
  own: Pick<Reconciler, 'clock' | 'cluster' | 'ask'> & Partial<Reconciler>,
): Reconciler {
  return {
    ...innerShell(own.clock, own.cluster),
    endpoints: { ready: () => 1 },
    evidence: noEvidence,
    prober: noProber,
    suites: noSuites,
    chain: undefined,
    decisionPolicy: { read: () => Promise.resolve({ type: 'enforced', sinceMs: 0 }) },
    events: { record: () => undefined },
    ...own,
  };
}
