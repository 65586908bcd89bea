/** deploy/ on a real API server: the same objects as the chart's, installed by kubectl, and samples that work at the first try. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { chartNamespace } from '#scripts/gen/chart/render.ts';
import { oneNamespaceValues, plain, plainValues, withoutChecksum } from '#scripts/gen/deploy.ts';
import { run } from '#scripts/testbed/command.ts';
import { type KubeObject, readManifest, toolPath } from '#scripts/testbed/index.ts';
import { titleOf } from './chart.ts';
import { type ChartWorld, startChartWorld } from './chart-world.ts';
import { namespace, referenceTo, statusOf } from './operator-world.ts';

let world: ChartWorld;

before(async () => {
  world = await startChartWorld();
  await world.plane.client.apply({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
});
after(async () => {
  await world.stop();
});

async function kubectl(...args: readonly string[]): Promise<string> {
  const env = { KUBECONFIG: world.plane.kubeconfigPath };
  return await run(await toolPath('kubectl'), args, { env });
}

/** By title, without the Namespace, which Helm makes itself. */
function byTitle(objects: readonly KubeObject[]): Readonly<Record<string, unknown>> {
  const own = objects.filter(({ kind }) => kind !== 'Namespace');
  return Object.fromEntries(own.map((object) => [titleOf(object), object]));
}

/** The name of the ConfigMap by its content is left out. */
async function kustomized(overlay: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await kubectl('kustomize', `deploy/overlays/${overlay}`);
  const plainText = text.replaceAll(/\bgenesis-rollout-[a-z0-9]{10}$/gm, 'genesis-rollout');
  return byTitle(parseAllDocuments(plainText).map((one) => one.toJS() as KubeObject));
}

/** The file of --config begins with a comment of its own, and what makes the ConfigMap gives it fewer labels. */
function comparable(objects: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const title = `ConfigMap ${chartNamespace}/genesis-rollout`;
  const map = objects[title] as { data: Record<string, string> } | undefined;
  const config = (map?.data['config.yaml'] ?? '').replaceAll(/^#.*\n/gm, '').trim();
  return { ...objects, [title]: config };
}

describe('kustomize makes the same objects as the chart', () => {
  for (const [overlay, values] of [
    ['cluster-wide', plainValues],
    ['one-namespace', oneNamespaceValues],
  ] as const) {
    test(overlay, async () => {
      const chart = byTitle((await plain(values)).map(withoutChecksum));
      assert.deepEqual(comparable(await kustomized(overlay)), comparable(chart));
    });
  }
});

describe('kubectl', () => {
  test('installs the operator from one file, which carries out a rollout of its own', async () => {
    await kubectl('apply', '--server-side', '--filename', 'deploy/install.yaml');
    const operator = await world.startOperator();
    await kubectl('apply', '--namespace', namespace, '--filename', 'deploy/samples/hello.yaml');
    const { client } = world.plane;
    await client.waitFor(
      referenceTo('GenesisRollout', 'hello'),
      (object) => statusOf(object).phase === 'Succeeded',
      90_000,
    );
    const flags = await client.get(referenceTo('ConfigMap', 'hello-flags'));
    assert.deepEqual(flags?.['data'], { 'new-greeting': '100' });
    await operator.stop({ killAfterMs: 30_000 });
  });

  for (const overlay of ['cluster-wide', 'one-namespace']) {
    test(`applies the overlay ${overlay}`, async () => {
      const args = ['--server-side', '--force-conflicts', '--dry-run=server'];
      const said = await kubectl('apply', ...args, '--kustomize', `deploy/overlays/${overlay}`);
      assert.match(said, /deployment.apps\/genesis-rollout serverside-applied/);
    });
  }
});

describe('the samples', () => {
  const files = globSync('deploy/samples/*.yaml').toSorted();

  test('are there', () => {
    assert.ok(files.length >= 3);
  });

  for (const file of files) {
    test(`${file} is taken by the API server, every field of it`, async () => {
      const args = ['--namespace', namespace, '--dry-run=server', '--validate=strict'];
      const said = await kubectl('apply', ...args, '--filename', file);
      assert.equal(said.trim().split('\n').length, (await readManifest(file)).length);
    });
  }
});
