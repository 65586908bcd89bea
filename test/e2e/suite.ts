/** The sample suite of examples/ for the service that is rolled out end to end: its Job as the example has it, with what is different here. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

import { images } from '#scripts/images/images.ts';
import type { KubeObject } from '#scripts/testbed/index.ts';

import { adminPort, type Colour, serviceOf, shop } from './shop.ts';

interface Suite {
  readonly name: string;
  readonly jobTemplate: {
    readonly spec: { readonly template: { readonly spec: { readonly containers: object[] } } };
  };
}

const folder = join(import.meta.dirname, '../../examples/health-suite');
const script = 'suite.mjs';
/** Times are no matter of a busy machine. */
const limits = ['LATENCY_P50_MS', 'LATENCY_P95_MS', 'LATENCY_MAX_MS', 'BURST_MS', 'REQUEST_MAX_MS'];

/** What the pod of the suite mounts. */
export async function suiteConfigMap(): Promise<KubeObject> {
  const metadata = { name: 'checkout-health-suite', namespace: shop };
  const data = { [script]: await readFile(join(folder, script), 'utf8') };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}

/** Of this version of `colour`, with an image that is there. Its result is on its log alone. */
export async function suiteOf(colour: Colour, version: string): Promise<Suite> {
  const example = parse(await readFile(join(folder, 'rollout.yaml'), 'utf8')) as {
    readonly spec: { readonly healthSuites: readonly Suite[] };
  };
  const [suite] = example.spec.healthSuites;
  const [container] = suite?.jobTemplate.spec.template.spec.containers ?? [];
  assert.ok(suite !== undefined && container !== undefined);
  const service = `http://${serviceOf(colour)}`;
  Object.assign(container, {
    image: images.checkout.tag,
    imagePullPolicy: 'Never',
    command: ['/nodejs/bin/node', `/suite/${script}`],
    env: [
      { name: 'SERVICE_URL', value: service },
      { name: 'METRICS_URL', value: `${service}:${adminPort}` },
      { name: 'WANTED_VERSION', value: version },
      { name: 'RESULT_FILE', value: '' },
      ...limits.map((name) => ({ name, value: '30000' })),
    ],
  });
  const short = { interval: '1m', timeout: '1m' };
  return { ...suite, ...short };
}
