/** What the real API server does with good objects: examples as they are, defaults, ownership, selection, columns. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Agent, request } from 'undici';
import { parseAllDocuments } from 'yaml';
import { parseRollout } from '#api/parse.ts';
import { run } from '#scripts/testbed/command.ts';
import {
  type ControlPlane,
  type KubeObject,
  readManifest,
  startControlPlane,
  toolPath,
} from '#scripts/testbed/index.ts';
import {
  accepted,
  apiPath,
  assertContains,
  create,
  ensureNamespace,
  merge,
} from './bad-objects/api.ts';
import { goodDecision, goodRollout } from './bad-objects/good.ts';
import { absent, patched, valueAt } from './bad-objects/patch.ts';

const examples = join(import.meta.dirname, '../../examples');

/** Everything that the API server adds to the smallest example. */
const smallestDefaults = {
  paused: false,
  onNewRevision: 'Restart',
  deletionPolicy: 'RestoreStable',
  historyLimit: 10,
  analysis: { interval: '15s', offset: '0s' },
  canaryDown: { for: '2m', action: 'Rollback' },
  success: { onFailure: 'Hold', maxExtensions: 1 },
  preflight: { policy: 'Require' },
  rollback: {
    sla: '15m',
    stages: { stopTraffic: '1m', verify: '2m', restore: '5m', stabilize: '5m', report: '2m' },
  },
  snapshots: { interval: '5m', keepRuns: 3 },
};

describe('objects', () => {
  let plane: ControlPlane;

  before(async () => {
    plane = await startControlPlane({ controllerManager: false, crds: ['crds'] });
  });
  after(async () => {
    await plane.stop();
  });

  test('both CRDs are structural and served', async () => {
    for (const name of ['genesisrollouts.genesis.dev', 'genesisdecisions.genesis.dev']) {
      const crd = await plane.client.get({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        name,
      });
      assert.ok(crd);
      const { conditions } = crd['status'] as {
        conditions: readonly { type: string; status: string }[];
      };
      assert.deepEqual(
        conditions
          .filter(({ status }) => status === 'True')
          .map(({ type }) => type)
          .sort(),
        ['Established', 'NamesAccepted'],
      );
      const version = Reflect.get(
        Object(crd.metadata['annotations']),
        'genesis.dev/schema-version',
      );
      assert.equal(version, '1');
    }
  });

  test('every example is accepted as it is, by a strict dry run and for real', async () => {
    const files = (await readdir(examples)).filter((name) => name.endsWith('.yaml'));
    assert.deepEqual(files.sort(), [
      'checkout.yaml',
      'deployment.yaml',
      'genesis-48h.yaml',
      'smallest.yaml',
    ]);
    for (const file of files) {
      for (const object of await readManifest(join(examples, file))) {
        const namespace = await ensureNamespace(plane, object.metadata.namespace ?? 'default');
        const path = `${apiPath}/namespaces/${namespace}/genesisrollouts`;
        accepted(
          await plane.client.send('POST', `${path}?dryRun=All&fieldValidation=Strict`, {
            body: object,
          }),
        );
        const created = accepted(
          await plane.client.send('POST', `${path}?fieldValidation=Strict`, { body: object }),
        );
        assertContains(created['spec'], object['spec'], file);
        // The operator's own defaults are the API server's.
        const placed = { ...object, metadata: { ...object.metadata, namespace } };
        assert.deepEqual(parsedSpec(created), parsedSpec(placed));
      }
    }
  });

  test('the example of a health suite is accepted, with its ConfigMap and its Job', async () => {
    const namespace = await ensureNamespace(plane, 'suites');
    const folder = join(examples, 'health-suite');
    const yaml = await run(await toolPath('kubectl'), ['kustomize', folder]);
    const objects = parseAllDocuments(yaml).map((one) => one.toJS() as KubeObject);
    const send = async (path: string, object: KubeObject) => {
      const body = { ...object, metadata: { ...object.metadata, namespace } };
      const strict = `${path.replace('NAMESPACE', namespace)}?dryRun=All&fieldValidation=Strict`;
      return accepted(await plane.client.send('POST', strict, { body }));
    };
    const only = (kind: string) => objects.find((one) => one.kind === kind) ?? assert.fail(kind);
    assert.equal(objects.length, 2);
    const configMap = only('ConfigMap');
    const rollout = only('GenesisRollout');
    await send('/api/v1/namespaces/NAMESPACE/configmaps', configMap);
    const script = await readFile(join(folder, 'suite.mjs'), 'utf8');
    assert.deepEqual(configMap['data'], { 'suite.mjs': script });
    const created = await send(`${apiPath}/namespaces/NAMESPACE/genesisrollouts`, rollout);
    const placed = { ...rollout, metadata: { ...rollout.metadata, namespace } };
    assert.deepEqual(parsedSpec(created), parsedSpec(placed));
    const metadata = { name: 'smoke' };
    const template = Object(valueAt(rollout, 'spec.healthSuites[0].jobTemplate')) as object;
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata, ...template };
    await send('/apis/batch/v1/namespaces/NAMESPACE/jobs', job);
    const mounted = valueAt(job, 'spec.template.spec.volumes[0].configMap.name');
    assert.equal(mounted, configMap.metadata.name);
  });

  test('the smallest example gets the documented defaults and no schedule', async () => {
    const namespace = await ensureNamespace(plane, 'defaults');
    const [smallest] = await readManifest(join(examples, 'smallest.yaml'));
    assert.ok(smallest);
    const created = accepted(await create(plane, { namespace }, smallest));
    const { triggers, ...rest } = created['spec'] as Record<string, unknown>;
    const { triggers: written, ...asked } = smallest['spec'] as { triggers: readonly object[] };
    assert.deepEqual(rest, { ...asked, ...smallestDefaults });
    assert.deepEqual(
      triggers,
      written.map((trigger) => ({
        keepFiringFor: '0s',
        noDataFor: '2m',
        judge: 'Threshold',
        ...trigger,
      })),
    );
  });

  test('defaults reach into lists and into parents that are only partly written', async () => {
    const namespace = await ensureNamespace(plane, 'nested');
    const sparse = patched(goodRollout, {
      'spec.schedule.steps[2].approval': {},
      'spec.schedule.freeze[0].timeZone': absent,
      'spec.schedule.checkpoints[0].onFailure': absent,
      'spec.triggers[0].compareWithStable': {},
      'spec.rollback': { stages: { restore: '9m' } },
      'spec.canaryDown': { for: '3m' },
      'spec.preflight': { backtest: { window: '24h' } },
    });
    const created = accepted(await create(plane, { namespace }, sparse));
    const expected = {
      'spec.schedule.steps[2].approval': { quorum: 1, onExpiry: 'Hold' },
      'spec.schedule.freeze[0].timeZone': 'UTC',
      'spec.schedule.checkpoints[0].onFailure': 'Hold',
      'spec.triggers[0].compareWithStable': { holdFor: '10m' },
      'spec.triggers[2].probe.expectStatus': 200,
      'spec.rollback': {
        sla: '15m',
        stages: { stopTraffic: '1m', verify: '2m', restore: '9m', stabilize: '5m', report: '2m' },
      },
      'spec.canaryDown': { for: '3m', action: 'Rollback' },
      'spec.preflight': { policy: 'Require', backtest: { window: '24h', maxFirings: 0 } },
    };
    for (const [path, value] of Object.entries(expected)) {
      assert.deepEqual(valueAt(created, path), value, path);
    }
  });

  test("parts that belong to other APIs are kept as they are, a match and a Job's template", async () => {
    const namespace = await ensureNamespace(plane, 'foreign');
    const jobTemplate = {
      spec: { backoffLimit: 0, template: { spec: { containers: [{ name: 'a', image: 'b' }] } } },
    };
    const matches = [
      { path: { type: 'PathPrefix', value: '/x' }, headers: [{ name: 'a', value: 'b' }] },
    ];
    const object = patched(goodRollout, {
      'spec.rollback.hooks[0].jobTemplate': jobTemplate,
      'spec.traffic.routes[1].generate.matches': matches,
    });
    const created = accepted(await create(plane, { namespace }, object));
    assert.deepEqual(valueAt(created, 'spec.rollback.hooks[0].jobTemplate'), jobTemplate);
    assert.deepEqual(valueAt(created, 'spec.traffic.routes[1].generate.matches'), matches);
  });

  test('two managers own a trigger each, and neither takes the other away', async () => {
    const namespace = await ensureNamespace(plane, 'managers');
    const path = `${apiPath}/namespaces/${namespace}/genesisrollouts/shared`;
    const applyAs = async (manager: string, spec: object) =>
      accepted(
        await plane.client.send('PATCH', `${path}?fieldManager=${manager}`, {
          contentType: 'application/apply-patch+yaml',
          body: {
            apiVersion: goodRollout.apiVersion,
            kind: goodRollout.kind,
            metadata: { name: 'shared', namespace },
            spec,
          },
        }),
      );
    const trigger = (name: string) => ({ name, severity: 'Info', query: 'up', condition: '< 1' });
    const { traffic, revision } = goodRollout.spec;
    await applyAs('git', { revision, traffic, triggers: [trigger('a')] });
    await applyAs('platform', { triggers: [trigger('b')] });
    const after = await applyAs('git', { revision, traffic, triggers: [trigger('a')] });
    const { triggers } = after['spec'] as { triggers: readonly { name: string }[] };
    assert.deepEqual(
      triggers.map(({ name }) => name),
      ['a', 'b'],
    );
  });

  test('rollouts are selected by phase, revision and workload, decisions by rollout', async () => {
    const namespace = await ensureNamespace(plane, 'selected');
    accepted(await create(plane, { namespace }, patched(goodRollout, { 'metadata.name': 'one' })));
    const workload = { kind: 'Deployment', name: 'app' };
    accepted(
      await create(
        plane,
        { namespace },
        patched(goodRollout, {
          'metadata.name': 'two',
          'spec.revision': 'v9',
          'spec.workload': workload,
        }),
      ),
    );
    accepted(await merge(plane, { namespace }, 'one/status', { status: { phase: 'Held' } }));
    assert.deepEqual(await selected(plane, namespace, 'genesisrollouts', 'status.phase=Held'), [
      'one',
    ]);
    assert.deepEqual(await selected(plane, namespace, 'genesisrollouts', 'spec.revision=v9'), [
      'two',
    ]);
    assert.deepEqual(
      await selected(plane, namespace, 'genesisrollouts', 'spec.workload.name=app'),
      ['two'],
    );
    accepted(await create(plane, { namespace, plural: 'genesisdecisions' }, goodDecision));
    assert.deepEqual(
      await selected(plane, namespace, 'genesisdecisions', 'spec.rollout=checkout'),
      ['checkout-full'],
    );
    assert.deepEqual(
      await selected(plane, namespace, 'genesisdecisions', 'spec.rollout=other'),
      [],
    );
  });

  test('kubectl shows the documented columns, and knows the short names and the category', async () => {
    const namespace = await ensureNamespace(plane, 'columns');
    accepted(await create(plane, { namespace }, goodRollout));
    const conditions = [
      {
        type: 'Ready',
        status: 'False',
        reason: 'Progressing',
        message: '',
        lastTransitionTime: '2026-11-22T04:10:00Z',
      },
    ];
    const status = {
      phase: 'Progressing',
      step: 'half',
      weight: 50,
      revision: 'v2',
      nextStepAt: '2026-11-23T04:10:00Z',
      conditions,
    };
    accepted(await merge(plane, { namespace }, 'checkout/status', { status }));
    const table = await asTable(plane, `${apiPath}/namespaces/${namespace}/genesisrollouts`);
    const shown = (wide: boolean) =>
      table.columns.filter(({ priority }) => wide || priority === 0).map(({ name }) => name);
    assert.deepEqual(shown(false), ['Name', 'Phase', 'Step', 'Weight', 'Ready', 'Age']);
    assert.deepEqual(shown(true).slice(6), ['Revision', 'Next', 'Reason']);
    const [, phase, step, weight, ready, , ...wide] = table.rows[0] ?? [];
    assert.deepEqual([phase, step, weight, ready], ['Progressing', 'half', 50, 'False']);
    assert.deepEqual(wide, ['v2', '2026-11-23T04:10:00Z', 'Progressing']);
    const discovery = (await plane.client.send('GET', apiPath)).body as {
      resources: readonly {
        name: string;
        shortNames?: readonly string[];
        categories?: readonly string[];
      }[];
    };
    const rollouts = discovery.resources.find(({ name }) => name === 'genesisrollouts');
    assert.deepEqual(rollouts?.shortNames, ['gr', 'grollout']);
    assert.deepEqual(rollouts.categories, ['genesis']);
  });
});

async function selected(
  plane: ControlPlane,
  namespace: string,
  plural: string,
  selector: string,
): Promise<readonly string[]> {
  const path = `${apiPath}/namespaces/${namespace}/${plural}?fieldSelector=${encodeURIComponent(selector)}`;
  const items = valueAt(accepted(await plane.client.send('GET', path)), 'items');
  assert.ok(Array.isArray(items), path);
  return items.map((item) => String(valueAt(item, 'metadata.name')));
}

async function asTable(plane: ControlPlane, path: string) {
  const { ca, token } = plane.client.address;
  const agent = new Agent({ connect: ca === undefined ? {} : { ca } });
  try {
    const { body } = await request(new URL(path, plane.url), {
      dispatcher: agent,
      signal: AbortSignal.timeout(10_000),
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
      },
    });
    const table = (await body.json()) as {
      columnDefinitions: readonly { name: string; priority: number }[];
      rows: readonly { cells: readonly unknown[] }[];
    };
    return { columns: table.columnDefinitions, rows: table.rows.map(({ cells }) => cells) };
  } finally {
    await agent.close();
  }
}

function parsedSpec(object: unknown): unknown {
  const parsed = parseRollout(object);
  assert.equal(parsed.type, 'ok', JSON.stringify(parsed));
  return parsed.type === 'ok' ? parsed.rollout.spec : undefined;
}
