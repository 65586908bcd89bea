/** What other controllers do in the simulated cluster: a gateway that accepts routes, and Jobs that run. */
import { jobResource } from '#api/names.ts';
import type { FakeApiServer } from '#test/fakes/cluster.ts';
import { type Random, streamOf } from './random.ts';
import { key, routeResource } from './scenario.ts';

export class ClusterLife {
  readonly #server: FakeApiServer;
  readonly #random: Random;
  readonly #seed: number;
  readonly #now: () => number;

  constructor(seed: number, server: FakeApiServer, now: () => number) {
    this.#server = server;
    this.#random = streamOf(seed, 'cluster');
    this.#seed = seed;
    this.#now = now;
  }

  second(): void {
    this.#gateway();
    this.#jobs();
  }

  /** The gateway accepts what it sees, in its own time. */
  #gateway(): void {
    const route = this.#server.get(routeResource, key);
    const { generation } = route?.metadata ?? {};
    const status = route?.['status'] as
      | { parents?: { conditions: { observedGeneration: number }[] }[] }
      | undefined;
    if (status?.parents?.[0]?.conditions[0]?.observedGeneration === generation) return;
    if (this.#random.chance(0.3)) return;
    const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({
      type,
      status: 'True',
      reason: type,
      message: '',
      observedGeneration: generation,
      lastTransitionTime: new Date(this.#now()).toISOString(),
    }));
    const parents = [
      { parentRef: { name: 'gateway' }, controllerName: 'sim.dev/gateway', conditions },
    ];
    this.#server.mergePatch(
      routeResource,
      key,
      { status: { parents } },
      { subresource: 'status', fieldManager: 'gateway' },
    );
  }

  /** Each Job has its fate by its name, whoever looks and however often. */
  #jobs(): void {
    for (const { metadata, ...job } of this.#server.list(jobResource)) {
      if (job['status'] !== undefined) continue;
      const fate = streamOf(this.#seed, metadata.name);
      const ending = fate.pick(['Complete', 'Complete', 'Failed', 'hangs']);
      const tookMs = fate.int(1_000, 15_000);
      const ageMs = this.#now() - Date.parse(metadata.creationTimestamp ?? '');
      if (ending === 'hangs' || ageMs < tookMs) continue;
      const conditions = [
        { type: ending, status: 'True', reason: 'Simulated', message: 'it ended' },
      ];
      const at = { namespace: metadata.namespace ?? '', name: metadata.name };
      const write = { subresource: 'status', fieldManager: 'jobs' } as const;
      this.#server.mergePatch(jobResource, at, { status: { conditions } }, write);
    }
  }
}
