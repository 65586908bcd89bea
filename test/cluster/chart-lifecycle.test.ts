/**
 * The chart installed, upgraded, rolled back, uninstalled and installed again by Helm 3 and by Helm 4 on a real API server, with a
 * rollout in mid-run all the time: its traffic stays where it is. There is no version before the first, so the one that is
 * upgraded from is this chart under an older version, with a CRD that lacks a column.
 */
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { chartFacts } from '#scripts/gen/chart/chart-yaml.ts';
import { chartFolder, chartNamespace, type HelmName } from '#scripts/gen/chart/render.ts';
import type { KubeObject, Part } from '#scripts/testbed/index.ts';
import { type ChartWorld, release, startChartWorld } from './chart-world.ts';
import {
  arm,
  canaryWeight,
  namespace,
  referenceTo,
  rollout,
  route,
  statusOf,
} from './operator-world.ts';

const older = '0.0.9';
const columnsPath = ['spec', 'versions', 0, 'additionalPrinterColumns'];
const inNamespace = ['--namespace', chartNamespace];
const waiting = ['--wait', '--timeout', '120s'];

let world: ChartWorld;
let olderChart: string;
let operator: Part | undefined;

before(async () => {
  world = await startChartWorld();
  olderChart = await packOlder();
  const { client } = world.plane;
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  for (const object of [...arm('stable'), ...arm('canary')]) await client.apply(object);
});
after(async () => {
  await stopOperator();
  await world.stop();
});

for (const helm of ['helm', 'helm4'] as const) {
  describe(`with ${helm === 'helm' ? 'Helm 3' : 'Helm 4'}`, () => lifecycle(helm));
}

function lifecycle(helm: HelmName): void {
  const name = `in-progress-${helm}`;
  const rolloutRef = referenceTo('GenesisRollout', name);
  const current = async () => statusOf(await world.plane.client.get(rolloutRef));
  const routeNow = async () => await world.plane.client.get(referenceTo('HTTPRoute', name));
  let before: { readonly runId: string | undefined; readonly route: string | undefined };

  /** The very run goes on at the very weight, and nobody has written the route. */
  const isUntouched = async () => {
    const { runId, weight, phase } = await current();
    assert.deepEqual(
      { runId, weight, phase },
      { runId: before.runId, weight: 50, phase: 'Progressing' },
    );
    const object = await routeNow();
    assert.equal(canaryWeight(object), 50);
    assert.equal(object?.metadata['resourceVersion'], before.route);
  };

  test('the version before is installed, and its operator carries out a rollout', async () => {
    const { client } = world.plane;
    await world.helm(
      helm,
      'install',
      release,
      olderChart,
      ...inNamespace,
      '--create-namespace',
      ...waiting,
      ...prometheus(),
    );
    assert.equal(await columnOf('Age'), false);
    assert.ok((await imageOf()).endsWith(`:${older}`));
    operator = await world.startOperator();
    await client.apply(route(name));
    await client.apply(rollout(name, {}));
    await client.waitFor(
      rolloutRef,
      (object) => statusOf(object).plan?.find((one) => one.name === 'half')?.passedAt !== undefined,
      60_000,
    );
    const { runId } = await current();
    before = { runId, route: String((await routeNow())?.metadata['resourceVersion']) };
    await isUntouched();
  });

  test('an upgrade brings the CRD along, and the run goes on', async () => {
    await world.helm(
      helm,
      'upgrade',
      release,
      chartFolder,
      ...inNamespace,
      ...waiting,
      ...prometheus(),
    );
    assert.equal(await columnOf('Age'), true);
    assert.ok((await imageOf()).endsWith(`:${chartFacts().version}`));
    await restartOperator();
    await isUntouched();
  });

  test('so it does after a rollback of the release', async () => {
    await world.helm(helm, 'rollback', release, '1', ...inNamespace, ...waiting);
    assert.equal(await columnOf('Age'), false);
    assert.ok((await imageOf()).endsWith(`:${older}`));
    await restartOperator();
    await isUntouched();
  });

  test('uninstalling leaves traffic, rollouts and their CRDs, and nothing else', async () => {
    await stopOperator();
    await world.helm(helm, 'uninstall', release, ...inNamespace, '--wait', '--timeout', '120s');
    await isUntouched();
    assert.deepEqual((await ofRelease()).map(titled), [
      'CustomResourceDefinition genesisdecisions.genesis.dev',
      'CustomResourceDefinition genesisrollouts.genesis.dev',
    ]);
  });

  test('installed again it takes the run up where it was, and watches it', async () => {
    const { client } = world.plane;
    await world.helm(
      helm,
      'install',
      release,
      chartFolder,
      ...inNamespace,
      ...waiting,
      ...prometheus(),
    );
    operator = await world.startOperator();
    await isUntouched();
    world.value = 10;
    await client.waitFor(rolloutRef, (object) => statusOf(object).phase === 'RolledBack', 60_000);
    assert.equal(canaryWeight(await routeNow()), 0);
    world.value = 0;
    await client.delete(rolloutRef);
    await stopOperator();
    await world.helm(helm, 'uninstall', release, ...inNamespace, '--wait', '--timeout', '120s');
  });
}

function prometheus(): readonly string[] {
  return ['--set', `config.prometheusUrl=${world.prometheusUrl}`];
}

async function packOlder(): Promise<string> {
  const folder = join(world.folder, 'older');
  await cp(chartFolder, folder, { recursive: true });
  await edit(join(folder, 'Chart.yaml'), (chart) => ({
    ...chart,
    version: older,
    appVersion: older,
  }));
  await edit(join(folder, 'files/crds/genesisrollouts.yaml'), (crd) => {
    const [version] = Reflect.get(Object(crd['spec']), 'versions') as [Record<string, unknown>];
    const columns = version['additionalPrinterColumns'] as { name: string }[];
    version['additionalPrinterColumns'] = columns.filter((column) => column.name !== 'Age');
    return crd;
  });
  await world.helm('helm', 'package', folder, '--destination', world.folder);
  return join(world.folder, `genesis-rollout-${older}.tgz`);
}

async function edit(
  file: string,
  change: (content: Record<string, unknown>) => Record<string, unknown>,
): Promise<void> {
  const content = parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await writeFile(file, stringify(change(content), { aliasDuplicateObjects: false }));
}

async function columnOf(column: string): Promise<boolean> {
  const crd = await world.plane.client.get({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    name: 'genesisrollouts.genesis.dev',
  });
  const columns = columnsPath.reduce<unknown>((value, key) => Reflect.get(Object(value), key), crd);
  return (columns as { name: string }[]).some(({ name }) => name === column);
}

async function imageOf(): Promise<string> {
  const deployment = await world.plane.client.get({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace: chartNamespace,
    name: release,
  });
  const path = ['spec', 'template', 'spec', 'containers', 0, 'image'];
  return String(path.reduce<unknown>((value, key) => Reflect.get(Object(value), key), deployment));
}

/** Everything that bears the release's label, of the kinds that the chart makes. */
async function ofRelease(): Promise<readonly KubeObject[]> {
  const { client } = world.plane;
  const kinds: readonly (readonly [string, string, string?])[] = [
    ['v1', 'ServiceAccount', chartNamespace],
    ['v1', 'ConfigMap', chartNamespace],
    ['v1', 'Service', chartNamespace],
    ['apps/v1', 'Deployment', chartNamespace],
    ['policy/v1', 'PodDisruptionBudget', chartNamespace],
    ['rbac.authorization.k8s.io/v1', 'Role', chartNamespace],
    ['rbac.authorization.k8s.io/v1', 'RoleBinding', chartNamespace],
    ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
    ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'],
    ['admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy'],
    ['admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicyBinding'],
    ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
  ];
  const lists = await Promise.all(kinds.map(async (kind) => await client.list(...kind)));
  return lists.flat().filter(({ metadata }) => {
    const labels = metadata['labels'] as Readonly<Record<string, string>> | undefined;
    return labels?.['app.kubernetes.io/instance'] === release;
  });
}

function titled({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`;
}

/** As a Deployment does with its pods: the old process ends, and the new one has the new file. */
async function restartOperator(): Promise<void> {
  await stopOperator();
  operator = await world.startOperator();
}

async function stopOperator(): Promise<void> {
  await operator?.stop({ killAfterMs: 30_000 });
  operator = undefined;
}
