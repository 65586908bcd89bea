/** One process of the operator: the real shell and engine over its own client, which can die at any request. */

import { rolloutSpecSchema } from '#api/rollout.ts';
import { DecisionIndex } from '#controller/decisions.ts';
import { noEvidence } from '#controller/evidence.ts';
import { type Reconciler, type Return, reconcile } from '#controller/reconcile.ts';
import { RolloutIndex } from '#controller/rollout-index.ts';
import { Specs } from '#controller/specs.ts';
import type { Answer, MetricQuestion } from '#core/answer.ts';
import { createJobRunner } from '#kube/job-runner.ts';
import type { EventNote } from '#ports/event-recorder.ts';
import { silentLogger } from '#ports/logger.ts';
import { inspectQuery } from '#promql/inspect-query.ts';
import { createRouters } from '#routers/index.ts';
import { createWorkloads } from '#routers/workloads.ts';
import { RightOfWay } from '#runtime/right-of-way.ts';
import { type FakeApiServer, FakeCluster, type FakeRequest } from '#test/fakes/cluster.ts';
import { noProber, noSuites } from '#test/fakes/sources.ts';
import { key, rolloutResource, routeResource } from './scenario.ts';
import type { SimTime } from './time.ts';
import { systemTimeOf } from './time.ts';

/** The process was killed: nothing after this point of it runs. */
export class Killed extends Error {}

export interface ProcessWorld {
  readonly time: SimTime;
  readonly server: FakeApiServer;
  readonly ask: (question: MetricQuestion) => Answer;
  readonly ready: (service: string) => number;
  /** Called before and after each request; may throw, write as another, or let time pass. */
  readonly onRequest: (moment: 'before' | 'after', request: FakeRequest) => void;
  readonly onEvent: (note: EventNote) => void;
  readonly isLeading: () => boolean;
}

export class Process {
  readonly cluster: FakeCluster;
  readonly #shell: Reconciler;
  /** When to look next, by true time; undefined: only on a change. */
  wakeAtMs: number | undefined;
  failures = 0;

  constructor(world: ProcessWorld) {
    this.wakeAtMs = world.time.nowMs;
    this.cluster = new FakeCluster({ server: world.server, isLeading: world.isLeading });
    this.cluster.before = (request) => world.onRequest('before', request);
    this.cluster.after = (request) => world.onRequest('after', request);
    this.cluster.onEvent(({ resource }) => {
      if (resource.kind === rolloutResource.kind || resource.kind === routeResource.kind) {
        this.wakeAtMs = Math.min(this.wakeAtMs ?? Number.POSITIVE_INFINITY, world.time.nowMs + 50);
      }
    });
    const index = new RolloutIndex();
    const clock = systemTimeOf(world.time);
    this.#shell = {
      clock,
      rightOfWay: new RightOfWay(clock),
      cluster: this.cluster,
      endpoints: { ready: (_, service) => world.ready(service) },
      routers: createRouters(this.cluster, silentLogger),
      index,
      jobs: createJobRunner(this.cluster),
      decisions: new DecisionIndex(),
      decisionPolicy: { read: () => Promise.resolve({ type: 'enforced', sinceMs: 0 }) },
      specs: new Specs(inspectQuery),
      ask: (question) => Promise.resolve(world.ask(question)),
      evidence: noEvidence,
      prober: noProber,
      suites: noSuites,
      workloads: createWorkloads({
        cluster: this.cluster,
        logger: silentLogger,
        watchState: () => ({ type: 'synced' }),
      }),
      routesWatched: () => Promise.resolve(),
      events: { record: world.onEvent },
      observer: {
        decided: () => undefined,
        reconciled: () => undefined,
        forgotten: () => undefined,
      },
      logger: silentLogger,
    };
    const object = this.cluster.cached(rolloutResource, key);
    const spec = rolloutSpecSchema.safeParse(object?.['spec']);
    if (spec.success) index.set({ ...key, createdAtMs: 0, traffic: spec.data.traffic });
  }

  look(): Promise<Return> {
    return reconcile(key, this.#shell, new AbortController().signal);
  }
}
