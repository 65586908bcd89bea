/** What the real API server allows later in an object's life: what is immutable, what is never refused, what ratchets. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { limits } from '#api/limits.ts';
import { parseDecision, parseRollout } from '#api/parse.ts';
import { type ControlPlane, type KubeObject, startControlPlane } from '#scripts/testbed/index.ts';
import {
  accepted,
  assertContains,
  assertRefused,
  create,
  ensureNamespace,
  merge,
} from './bad-objects/api.ts';
import { goodDecision, goodRollout } from './bad-objects/good.ts';
import { type Patch, patched } from './bad-objects/patch.ts';

describe('updates', () => {
  let plane: ControlPlane;

  before(async () => {
    plane = await startControlPlane({ controllerManager: false, crds: ['crds'] });
  });
  after(async () => {
    await plane.stop();
  });

  test('the workload cannot be added, changed or removed', async () => {
    const namespace = await ensureNamespace(plane, 'immutable');
    const workload = { kind: 'Deployment', name: 'checkout' };
    accepted(
      await create(
        plane,
        { namespace },
        patched(goodRollout, { 'metadata.name': 'with', 'spec.workload': workload }),
      ),
    );
    accepted(
      await create(plane, { namespace }, patched(goodRollout, { 'metadata.name': 'without' })),
    );
    const other = { workload: { kind: 'Deployment', name: 'other' } };
    assertRefused(
      await merge(plane, { namespace }, 'with', { spec: other }),
      'spec.workload: Invalid value: workload is immutable: it is Deployment checkout',
    );
    assertRefused(
      await merge(plane, { namespace }, 'with', { spec: { workload: null } }),
      'workload is immutable: it is Deployment checkout',
    );
    assertRefused(
      await merge(plane, { namespace }, 'without', { spec: other }),
      'workload is immutable: it was not set',
    );
    accepted(await merge(plane, { namespace }, 'with', { spec: { revision: 'v3' } }));
  });

  test('a decision cannot be changed, but its outcome can be written', async () => {
    const where = {
      namespace: await ensureNamespace(plane, 'decisions'),
      plural: 'genesisdecisions',
    };
    const created = accepted(await create(plane, where, goodDecision));
    assert.equal(parseDecision(created).type, 'ok');
    const { name } = goodDecision.metadata;
    const refusal = 'a decision cannot be changed: make another one';
    assertRefused(await merge(plane, where, name, { spec: { by: 'mallory' } }), refusal);
    assertRefused(await merge(plane, where, name, { spec: { reason: null } }), refusal);
    accepted(await merge(plane, where, name, { metadata: { labels: { a: 'b' } } }));
    for (const outcome of ['Applied', 'SomethingNewer']) {
      accepted(await merge(plane, where, `${name}/status`, { status: { outcome } }));
    }
  });

  test('a status write is never refused, whatever its words and however long its lists', async () => {
    const namespace = await ensureNamespace(plane, 'status');
    accepted(await create(plane, { namespace }, goodRollout));
    for (const phase of ['Pending', 'RollingBack', 'RolledBack', 'SomethingNewer', '']) {
      accepted(await merge(plane, { namespace }, 'checkout/status', { status: { phase } }));
    }
    const many = (count: number, make: (index: number) => object) =>
      Array.from({ length: count }, (_, index) => make(index));
    const status = {
      phase: 'RollingBack',
      weight: -7,
      message: 'x'.repeat(10_000),
      triggers: many(500, (index) => ({ name: `T ${index}`, severity: 'Odd', state: 'Odd' })),
      holds: many(500, () => ({ reason: '', by: '', since: 'never', message: '' })),
      plan: many(500, () => ({ name: 'same', kind: 'Odd', dueAt: '?' })),
    };
    const written = accepted(await merge(plane, { namespace }, 'checkout/status', { status }));
    assertContains(written['status'], status, 'status');
  });

  test('status is a subresource: it does not raise the generation, and spec writes cannot touch it', async () => {
    const namespace = await ensureNamespace(plane, 'subresource');
    accepted(await create(plane, { namespace }, goodRollout));
    const first = accepted(
      await merge(plane, { namespace }, 'checkout/status', { status: { phase: 'Held' } }),
    );
    assert.equal(first.metadata['generation'], 1);
    const second = accepted(
      await merge(plane, { namespace }, 'checkout', {
        status: { phase: 'Lost' },
        spec: { revision: 'v3' },
      }),
    );
    assert.equal(second.metadata['generation'], 2);
    assert.equal((second['status'] as { phase: string }).phase, 'Held');
  });

  test('an object as full as etcd takes it stays within the budget of the rules', async () => {
    const namespace = await ensureNamespace(plane, 'full');
    const object = fullRollout();
    assert.ok(JSON.stringify(object).length > 1_300_000);
    accepted(await create(plane, { namespace }, object));
    assert.equal(
      parseRollout({ ...object, metadata: { ...object.metadata, namespace } }).type,
      'ok',
    );
  });

  test('an object from before a rule was tightened can still be written, in status and beside the rule', async () => {
    const namespace = await ensureNamespace(plane, 'ratchet');
    const bad = patched(goodRollout, {
      'spec.schedule.steps[0].weight': 60,
      'spec.triggers[1].metric': 'gone',
      'spec.schedule.end': '2 days',
    });
    const crd = await plane.client.get({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      name: 'genesisrollouts.genesis.dev',
    });
    assert.ok(crd);
    await replaceSpec(plane, crd, loosened(crd['spec']));
    await eventually(async () => (await create(plane, { namespace }, bad)).status === 201);
    await replaceSpec(plane, crd, crd['spec']);
    const late = patched(bad, { 'metadata.name': 'late' });
    await eventually(
      async () => (await create(plane, { namespace, dryRun: true }, late)).status === 422,
    );

    for (const phase of ['RollingBack', 'RolledBack']) {
      accepted(
        await merge(plane, { namespace }, 'checkout/status', { status: { phase, weight: 0 } }),
      );
    }
    accepted(
      await merge(plane, { namespace }, 'checkout', {
        metadata: { finalizers: ['genesis.dev/traffic'] },
      }),
    );
    accepted(await merge(plane, { namespace }, 'checkout', { metadata: { finalizers: null } }));
    assertRefused(
      await merge(plane, { namespace }, 'checkout', { spec: { schedule: { end: '3 days' } } }),
      '3 days',
    );
    const mended = { schedule: goodRollout.spec.schedule, triggers: goodRollout.spec.triggers };
    accepted(await merge(plane, { namespace }, 'checkout', { spec: mended }));
  });
});

async function replaceSpec(plane: ControlPlane, crd: KubeObject, spec: unknown): Promise<void> {
  accepted(
    await plane.client.send(
      'PATCH',
      `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`,
      {
        contentType: 'application/json-patch+json',
        body: [{ op: 'replace', path: '/spec', value: spec }],
      },
    ),
  );
}
/** The CRD as an older, more lenient version might have been. */
function loosened(spec: unknown): unknown {
  if (Array.isArray(spec)) return spec.map(loosened);
  if (typeof spec !== 'object' || spec === null) return spec;
  const kept = Object.entries(spec).filter(
    ([key]) => key !== 'x-kubernetes-validations' && key !== 'pattern',
  );
  return Object.fromEntries(kept.map(([key, value]) => [key, loosened(value)]));
}

/** As many queries of the greatest length as etcd's 1.5 MiB allow, under names of the greatest length. */
function fullRollout() {
  const query = (start: string) =>
    `${start}{service="$(arm.service)"}${' + $(namespace)'.repeat(260)}`.padEnd(
      limits.queryLengthMax,
      'x',
    );
  const name = (kind: string, index: number) =>
    `${kind}-${index}-`.padEnd(limits.nameLengthMax, 'x');
  const many = <T>(count: number, make: (index: number) => T) =>
    Array.from({ length: count }, (_, index) => make(index));
  const ratio = (index: number) => ({ bad: query(`bad${index}`), total: query(`total${index}`) });
  const patch: Patch = {
    'spec.analysis.metrics': many(limits.metricsMax, (index) => ({
      name: name('metric', index),
      ratio: ratio(index),
    })),
    'spec.triggers': many(limits.triggersMax, (index) => ({
      name: name('trigger', index),
      severity: 'Critical',
      metric: name('metric', limits.metricsMax - 1),
      condition: '> 0.5%',
      judge: 'Sequential',
      onFiring: many(limits.rungsMax, () => ({
        action: 'RunSuite',
        suite: name('suite', limits.suitesMax - 1),
        after: '99999h',
      })),
    })),
    'spec.healthSuites': many(limits.suitesMax, (index) => ({
      name: name('suite', index),
      http: { url: 'http://suite/' },
    })),
    'spec.success.criteria': many(limits.criteriaMax, (index) => ({
      name: name('criterion', index),
      ratio: ratio(index),
      condition: '< 0.1%',
    })),
    'spec.rollback.baseline': many(limits.criteriaMax, (index) => ({
      name: name('criterion', index),
      ...(index < 32 ? { ratio: ratio(index) } : { metric: name('metric', limits.metricsMax - 1) }),
      condition: '< 0.1%',
    })),
    'spec.rollback.healthSuite': name('suite', limits.suitesMax - 1),
    'spec.schedule.steps': many(limits.stepsMax, (index) => ({
      name: name('step', index),
      at: `${index}h59m59s999ms`,
      weight: index === limits.stepsMax - 1 ? 100 : index,
    })),
    'spec.schedule.checkpoints': many(limits.checkpointsMax, (index) => ({
      name: name('checkpoint', index),
      at: `${index}h`,
      require: ['Preflight'],
    })),
  };
  return patched(goodRollout, patch);
}

async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, 'the API server did not follow the CRD within 15 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
