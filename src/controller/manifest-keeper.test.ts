/** Dashboards and alerts in step with their rollouts: what is written when, and that nothing is in a steady state. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RunSpec } from '#core/run-spec.ts';
import { type ManifestSettings, manifestSource } from '#dashboards/source.ts';
import { ClusterError, type KubeObject } from '#ports/cluster.ts';
import { type Logger, silentLogger } from '#ports/logger.ts';
import { RightOfWay } from '#runtime/right-of-way.ts';
import { errorsTrigger, rolloutName, runSpec } from '#test/builders.ts';
import { FakeCluster, type FakeRequest } from '#test/fakes/cluster.ts';
import { VirtualClock } from '#test/kube/virtual-clock.ts';
import { createManifestKeeper } from './manifest-keeper.ts';

const CHECK_EVERY_MS = 600_000;
const all = { prometheusrule: true, servicemonitor: true, dashboard: true };
const scraped = { monitoring: { serviceMonitor: { port: 'metrics' } } };

const stricter = { ...errorsTrigger, condition: '> 0.1%' };

const rollout: KubeObject = {
  apiVersion: 'genesis.dev/v1alpha1',
  kind: 'GenesisRollout',
  metadata: { name: rolloutName, namespace: 'shop', uid: 'u1' },
};

class World {
  readonly cluster = new FakeCluster();
  readonly clock = new VirtualClock();
  readonly said: string[] = [];
  readonly #stop = new AbortController();
  #settings: Partial<ManifestSettings> = {};
  #keeper = this.#start();

  #start() {
    const say = (_fields: object, message: string): void => {
      this.said.push(message);
    };
    const logger: Logger = { ...silentLogger, info: say, warn: say, error: say };
    const settings = { makes: all, labels: {}, runbookUrl: 'https://books.example' };
    const source = manifestSource({ ...settings, ...this.#settings });
    return createManifestKeeper({
      source,
      cluster: this.cluster,
      clock: this.clock,
      logger,
      rightOfWay: new RightOfWay(this.clock),
      stopping: this.#stop.signal,
    });
  }

  restart(settings: Partial<ManifestSettings> = {}): void {
    this.#settings = settings;
    this.#keeper = this.#start();
  }

  /** What is there for the rollout. */
  kinds(): string[] {
    const known = ['PrometheusRule', 'ServiceMonitor', 'ConfigMap'];
    return known.filter((kind) => this.#keeper.has({ namespace: 'shop', name: rolloutName }, kind));
  }

  /** A look; returns what was written for it. */
  async look(run: RunSpec, object = rollout): Promise<string[]> {
    const before = this.cluster.requests.length;
    this.#keeper.keep(object, run);
    await this.clock.advance(1_000);
    return this.cluster.requests.slice(before).filter(isWrite).map(text);
  }
}

const isWrite = ({ verb }: FakeRequest) => !['get', 'list', 'watch'].includes(verb);
const text = ({ verb, resource, key }: FakeRequest) => `${verb} ${resource.kind} ${key.name}`;

const rule = 'apply PrometheusRule genesis-checkout';
const dashboard = 'apply ConfigMap genesis-checkout-dashboard';
const monitor = 'apply ServiceMonitor genesis-checkout';
const configMaps = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
};
const dashboardKey = { namespace: 'shop', name: 'genesis-checkout-dashboard' };

describe('what is made for a rollout', () => {
  test('is made once, and never written again while nothing changes', async () => {
    const world = new World();
    const run = runSpec(scraped);
    assert.deepEqual(await world.look(run), [rule, monitor, dashboard]);
    assert.deepEqual(await world.look(run), []);
    await world.clock.advance(CHECK_EVERY_MS);
    assert.deepEqual(await world.look(run), []);
    world.restart();
    assert.deepEqual(await world.look(run), []);
  });

  test('belongs to the rollout', async () => {
    const world = new World();
    await world.look(runSpec());
    const made = world.cluster.server.get(configMaps, dashboardKey);
    assert.deepEqual(made?.metadata.ownerReferences, [
      {
        apiVersion: 'genesis.dev/v1alpha1',
        kind: 'GenesisRollout',
        name: 'checkout',
        uid: 'u1',
        controller: true,
        blockOwnerDeletion: false,
      },
    ]);
  });

  test('follows the spec', async () => {
    const world = new World();
    await world.look(runSpec(scraped));
    const other = runSpec({ ...scraped, triggers: [stricter] });
    assert.deepEqual(await world.look(other), [rule, dashboard]);
    assert.deepEqual(await world.look(runSpec({ triggers: [stricter] })), [
      'delete ServiceMonitor genesis-checkout',
    ]);
  });

  test('is mended when somebody has changed or deleted it', async () => {
    const world = new World();
    const run = runSpec();
    await world.look(run);
    world.cluster.server.delete(configMaps, dashboardKey);
    await world.clock.advance(CHECK_EVERY_MS);
    assert.deepEqual(await world.look(run), [dashboard]);
  });

  test('goes when it is switched off, and changes with its labels', async () => {
    const world = new World();
    const run = runSpec();
    await world.look(run);
    world.restart({ labels: { release: 'kps' } });
    assert.deepEqual(await world.look(run), [rule, dashboard]);
    world.restart({ makes: { ...all, dashboard: false } });
    assert.deepEqual(await world.look(run), [rule, 'delete ConfigMap genesis-checkout-dashboard']);
  });

  test('of somebody else is left alone', async () => {
    const world = new World();
    const other = { apiVersion: 'v1', kind: 'ConfigMap', metadata: dashboardKey, data: { a: 'b' } };
    world.cluster.server.create(configMaps, other, {});
    assert.deepEqual(await world.look(runSpec()), [rule]);
    assert.match(world.said.join(), /a ConfigMap of this name is there/);
  });

  test('is not begun for a rollout that is being deleted', async () => {
    const world = new World();
    const metadata = { ...rollout.metadata, deletionTimestamp: '2026-11-22T12:00:00Z' };
    assert.deepEqual(await world.look(runSpec(), { ...rollout, metadata }), []);
  });
});

describe('what cannot be made', () => {
  test('because the CRD is not there is said once, and made when it comes', async () => {
    const world = new World();
    let isInstalled = false;
    world.cluster.before = ({ resource }) => {
      if (resource.group !== 'monitoring.coreos.com' || isInstalled) return;
      throw new ClusterError('notFound', 'the server could not find the requested resource');
    };
    const run = runSpec();
    assert.deepEqual(await world.look(run), [dashboard]);
    assert.deepEqual(world.kinds(), ['ConfigMap']);
    await world.look(runSpec({ triggers: [stricter] }));
    assert.deepEqual(world.said, [
      'the API server does not know PrometheusRule (monitoring.coreos.com), so none is made for rollouts',
    ]);
    isInstalled = true;
    await world.clock.advance(CHECK_EVERY_MS);
    assert.deepEqual(await world.look(run), [rule, dashboard]);
    assert.deepEqual(world.kinds(), ['PrometheusRule', 'ConfigMap']);
  });

  test('because a right is missing is said once, with the right, and keeps nothing else back', async () => {
    const world = new World();
    world.cluster.before = ({ verb, resource }) => {
      if (resource.kind !== 'PrometheusRule' || verb !== 'apply') return;
      throw new ClusterError('forbidden', 'may not');
    };
    assert.deepEqual(await world.look(runSpec()), [rule, dashboard]);
    await world.look(runSpec({ triggers: [stricter] }));
    assert.deepEqual(world.said, [
      'the PrometheusRule of a rollout could not be kept in step: may not; the operator needs get, list, create, patch and delete on prometheusrules.monitoring.coreos.com',
    ]);
  });
});
