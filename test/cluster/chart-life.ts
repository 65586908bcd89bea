/** The whole life of rollouts that between them need every right that the operator has. */
import assert from 'node:assert/strict';
import type { RolloutStatus } from '#api/status.ts';
import type { KubeObject, ObjectReference } from '#scripts/testbed/index.ts';
import type { ChartWorld } from './chart-world.ts';
import {
  arm,
  canaryWeight,
  namespace,
  referenceTo,
  rollout,
  route,
  statusOf,
} from './operator-world.ts';
import { asUser, nameOf, statusFieldOf } from './people.ts';

const within = 90_000;
const labels = { app: 'agent' };
const pods = {
  metadata: { labels },
  spec: { containers: [{ name: 'app', image: 'app' }] },
};
const jobTemplate = {
  spec: {
    backoffLimit: 0,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'job', image: 'job' }] } },
  },
};
const schedule = {
  steps: [
    { name: 'dark', at: '0s', weight: 0 },
    { name: 'half', at: '1s', weight: 50 },
    { name: 'full', at: '2s', weight: 100 },
  ],
  end: '3s',
};

/** What the rollouts need to be there. */
export async function furnish({ plane }: ChartWorld): Promise<void> {
  const { client } = plane;
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const agent = (kind: string, more: object): KubeObject => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'agent', namespace },
    spec: { selector: { matchLabels: labels }, template: pods, ...more },
  });
  const objects: readonly KubeObject[] = [
    ...arm('stable'),
    ...arm('canary'),
    agent('Deployment', { replicas: 1 }),
    agent('StatefulSet', { replicas: 1, serviceName: 'agent' }),
    agent('DaemonSet', {}),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'flags', namespace },
      data: { share: '0' },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'prometheus', namespace },
      stringData: { token: 'of the shop' },
    },
  ];
  for (const object of objects) await client.apply(object);
}

/** To 100 %, with a health suite as a Job beside it. */
export async function succeed({ plane }: ChartWorld, name: string): Promise<void> {
  const { client } = plane;
  await client.apply(route(name));
  const healthSuites = [{ name: 'smoke', interval: '1h', jobTemplate }];
  await client.apply(
    rollout(name, { schedule, healthSuites, monitoring: { serviceMonitor: { port: 'metrics' } } }),
  );
  await until(plane.client, name, ({ phase }) => phase === 'Succeeded');
}

/** Waits for an approval at the first step, and gets it. */
export async function approve({ plane }: ChartWorld, name: string, by: string): Promise<void> {
  const { client } = plane;
  await client.apply(route(name));
  const [dark, half, full] = schedule.steps;
  const steps = [dark, { ...half, approval: { quorum: 1 } }, { ...full, at: '100h' }];
  await client.apply(rollout(name, { schedule: { steps, end: '101h' } }));
  await until(client, name, ({ holds }) => holds?.[0]?.reason === 'ApprovalRequired');
  const approval = { rollout: name, revision: 'v2', decision: 'Approve', step: 'half' };
  // One from before the policy is in force is refused, and says so.
  for (let tries = 0; (await decide(plane, by, approval)) !== 'Applied'; tries += 1) {
    assert.ok(tries < 60, 'no approval was applied');
  }
  await until(client, name, ({ weight }) => weight === 50);
}

/** An edit that cannot be followed: the next process has to read what was recorded of the run. */
export async function spoil({ plane }: ChartWorld, name: string): Promise<void> {
  const broken = [{ name: 'errors', severity: 'Critical', query: 'sum(', condition: '> 1' }];
  await plane.client.patch(referenceTo('GenesisRollout', name), { spec: { triggers: broken } });
  await until(plane.client, name, ({ conditions }) =>
    conditions?.some(({ type, status }) => type === 'Accepted' && status === 'False'),
  );
}

/** A route, a GRPCRoute and a flag with restarts and hooks: up, shaken, back, up again, aborted, and deleted. */
export async function goBack(world: ChartWorld, name: string, by: string): Promise<void> {
  const { client } = world.plane;
  await client.apply(route(name));
  await client.apply({ ...route(name), kind: 'GRPCRoute' });
  await client.apply(manySided(world, name));
  const atHalf = ({ plan }: RolloutStatus) =>
    plan?.find((one) => one.name === 'half')?.passedAt !== undefined;
  await until(client, name, atHalf);
  assert.ok(world.authorizations.has('Bearer of the shop'));
  await disturb(world, name);
  world.value = 10;
  await until(client, name, ({ phase }) => phase === 'RolledBack');
  world.value = 0;
  const [dark, half, full] = schedule.steps;
  await client.patch(referenceTo('GenesisRollout', name), {
    spec: { revision: 'v3', schedule: { steps: [dark, half, { ...full, at: '100h' }] } },
  });
  await until(client, name, (status) => status.revision === 'v3' && atHalf(status));
  const abort = { rollout: name, revision: 'v3', decision: 'Abort' };
  assert.equal(await decide(world.plane, by, abort), 'Applied');
  await until(client, name, ({ phase }) => phase === 'RolledBack');
  await client.delete(referenceTo('GenesisRollout', name));
  await gone(world, referenceTo('GenesisRollout', name));
  assert.equal(canaryWeight(await client.get(referenceTo('HTTPRoute', name))), 0);
}

function manySided({ prometheusUrl }: ChartWorld, name: string): KubeObject {
  const kinds = ['Deployment', 'StatefulSet', 'DaemonSet'];
  return rollout(name, {
    analysis: {
      interval: '1s',
      prometheus: { url: prometheusUrl, bearerToken: { name: 'prometheus', key: 'token' } },
    },
    traffic: {
      stable: { service: 'stable', port: 80 },
      canary: { service: 'canary', port: 80 },
      routes: ['HTTPRoute', 'GRPCRoute'].map((kind) => ({ kind, name })),
      featureFlag: {
        configMap: 'flags',
        key: 'share',
        format: 'Percent',
        // One of each kind that is there, and one that is not.
        restart: kinds.flatMap((kind) => ['agent', 'nowhere'].map((one) => ({ kind, name: one }))),
      },
    },
    snapshots: { interval: '1s', keepRuns: 1 },
    rollback: { hooks: [{ stage: 'Restore', jobTemplate }] },
  });
}

/** Somebody else writes the weights, again and again: each time they are asserted again. */
async function disturb({ plane }: ChartWorld, name: string): Promise<void> {
  const { client } = plane;
  const reference = referenceTo('HTTPRoute', name);
  for (let time = 0; time < 3; time += 1) {
    const found = await client.get(reference);
    const rules = structuredClone(Reflect.get(Object(found?.['spec']), 'rules')) as {
      backendRefs: { name: string; weight: number }[];
    }[];
    for (const one of rules[0]?.backendRefs ?? []) one.weight = one.name === 'canary' ? 70 : 30;
    await client.patch(reference, { spec: { rules } });
    await client.waitFor(reference, (object) => canaryWeight(object) === 50, within);
  }
}

/** Resolves with its outcome. */
async function decide(plane: ChartWorld['plane'], by: string, spec: object): Promise<string> {
  const path = `/apis/genesis.dev/v1alpha1/namespaces/${namespace}/genesisdecisions`;
  const { status, body } = await asUser(plane, by, path, {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisDecision',
    metadata: { generateName: 'shop-', namespace },
    spec: { by, ...spec },
  });
  if (status !== 201) return `refused with ${status}`;
  const reference = {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisDecision',
    namespace,
    name: nameOf(body),
  };
  const settled = await plane.client.waitFor(
    reference,
    (object) => statusFieldOf(object, 'outcome') !== '',
    within,
  );
  return statusFieldOf(settled, 'outcome');
}

/** PrometheusRules and ServiceMonitors that were made for rollouts go when nobody wants them any more. */
export async function unwatched({ plane }: ChartWorld): Promise<void> {
  const deadline = performance.now() + within;
  for (;;) {
    const kinds = ['PrometheusRule', 'ServiceMonitor'];
    const lists = await Promise.all(
      kinds.map(async (kind) => plane.client.list('monitoring.coreos.com/v1', kind, namespace)),
    );
    const left = lists.flat().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    if (left.length === 0) return;
    assert.ok(performance.now() < deadline, `still there: ${left.join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function until(
  client: ChartWorld['plane']['client'],
  name: string,
  isTrue: (status: RolloutStatus) => boolean | undefined,
): Promise<void> {
  const isWanted = (object: KubeObject) => isTrue(statusOf(object)) === true;
  await client.waitFor(referenceTo('GenesisRollout', name), isWanted, within);
}

async function gone({ plane }: ChartWorld, reference: ObjectReference): Promise<void> {
  const deadline = performance.now() + within;
  while ((await plane.client.get(reference)) !== undefined) {
    assert.ok(performance.now() < deadline, `${reference.name} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
