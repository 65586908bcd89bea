/**
 * Where the stories of whole-stories.ts are played: the world of resilience-world.ts with people who may decide, an alerting
 * rule, a Job controller, a local site with health endpoints and suites, and the controller as a process of its own.
 */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { RolloutStatus } from '#api/status.ts';
import { systemClock } from '#runtime/clock.ts';
import { buildController, startController } from '#scripts/demo/controller.ts';
import {
  createRunFolder,
  freePorts,
  type KubeObject,
  type ObjectReference,
} from '#scripts/testbed/index.ts';
import { listenLocally } from '#test/local-server.ts';
import { Victim } from './controller-victim.ts';
import { asUser, messageOf, nameOf, roleFor, statusFieldOf } from './people.ts';
import {
  namespace,
  type ResilienceOptions,
  type ResilienceWorld,
  type RolloutParts,
  type Subject,
  startResilienceWorld,
} from './resilience-world.ts';

/** `carol` makes the changes; she may approve too, were it not for `notBy: Author`. */
const people = ['alice', 'bob', 'carol'];
const decisions = `/apis/genesis.dev/v1alpha1/namespaces/${namespace}/genesisdecisions`;
/** Approvals from before this are not taken for checked. */
const policyDelayMs = 5_500;
/** As Prometheus sees it once a second: a label of its own severity, and the service that it is about. */
const alarm = {
  alert: 'ShopFailing',
  expr: `sum by (service) (rate(http_requests_total{code="500"}[4s])) > 1`,
  labels: { severity: 'critical' },
};

export interface Stage {
  readonly world: ResilienceWorld;
  readonly victim: Victim;
  /** Of the local site: `<siteUrl>/health/NAME` and `<siteUrl>/suite/NAME`. */
  readonly siteUrl: string;
  /** Names whose health endpoint answers 503 and whose suite fails every second test. */
  readonly unwell: Set<string>;
  add(name: string, schedule: object, more?: RolloutParts): Promise<Subject>;
  /** Resolves with the status that is as wanted. */
  until(
    subject: Subject,
    what: string,
    isTrue: (status: RolloutStatus) => boolean,
    withinMs?: number,
  ): Promise<RolloutStatus>;
  /** What came of a decision of this person: what admission said, or the outcome that the operator wrote. */
  decide(by: string, spec: object): Promise<Outcome>;
  stop(): Promise<void>;
}

export interface Outcome {
  readonly outcome: string;
  readonly message: string;
}

export async function startStage(plane: ResilienceOptions['plane'] = {}): Promise<Stage> {
  await buildController();
  const folder = await createRunFolder();
  const unwell = new Set<string>();
  const site = await startSite(unwell);
  const users = people.map((name) => ({ name }));
  const world = await startResilienceWorld({
    plane: { controllerManager: true, kwok: true, users, ...plane },
    rules: [alarm],
  });
  const { client } = world.plane;
  await client.applyFiles('deploy/cluster/admission-policies.yaml');
  for (const object of rights()) await client.apply(object);
  await systemClock.sleep(policyDelayMs);
  const [metrics = 0, health = 0] = await freePorts(2);
  const victim = new Victim(async () =>
    startController({
      kubeconfig: world.plane.kubeconfigPath,
      namespace,
      prometheusUrl: world.prometheus.url,
      runFolder: folder.path,
      ports: { metrics, health },
      flags: ['--leader-elect=true', '--allow-loopback-urls', '--log-level=debug'],
    }),
  );
  await victim.start();
  return {
    world,
    victim,
    siteUrl: site.url,
    unwell,
    add: async (name, schedule, more) => await world.add(name, schedule, more),
    until,
    decide: async (by, spec) => await decide(world, by, spec),
    stop: async () => {
      await victim.stop();
      await world.stop();
      site.stop();
      await folder.remove();
    },
  };
}

async function startSite(unwell: ReadonlySet<string>) {
  const server = createServer((request, response) => {
    const [, what, name = ''] = (request.url ?? '').split('/');
    const isWell = !unwell.has(name);
    request.resume();
    if (what === 'health') {
      response.statusCode = isWell ? 200 : 503;
      response.end();
      return;
    }
    const failures = isWell ? [] : ['test_checkout', 'test_payment'];
    const failed = failures.length;
    response.end(JSON.stringify({ total: 4, passed: 4 - failed, failed, skipped: 0, failures }));
  });
  return await listenLocally(server);
}

function rights(): KubeObject[] {
  const apiGroups = ['genesis.dev'];
  const verbs = ['approve', 'pause', 'resume', 'retry', 'abort'];
  const rules = [
    { apiGroups, resources: ['genesisdecisions'], verbs: ['create'] },
    { apiGroups, resources: ['genesisrollouts'], verbs },
  ];
  return roleFor(namespace, 'release-team', rules, people);
}

export const statusOf = ({ statuses }: Subject): RolloutStatus => statuses.at(-1)?.status ?? {};

async function until(
  subject: Subject,
  what: string,
  isTrue: (status: RolloutStatus) => boolean,
  withinMs = 60_000,
): Promise<RolloutStatus> {
  const deadlineMs = systemClock.monotonic() + withinMs;
  while (!isTrue(statusOf(subject))) {
    if (systemClock.monotonic() > deadlineMs) {
      const { phase, message, rollback, triggers } = statusOf(subject);
      const seen = JSON.stringify({ phase, message, rollback, triggers });
      assert.fail(`${subject.name}: not within ${withinMs} ms: ${what}; it is ${seen}`);
    }
    await systemClock.sleep(20);
  }
  return statusOf(subject);
}

async function decide({ plane }: ResilienceWorld, by: string, spec: object): Promise<Outcome> {
  const answer = await asUser(plane, by, decisions, {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisDecision',
    metadata: { generateName: 'shop-', namespace },
    spec: { revision: 'v2', by, ...spec },
  });
  if (answer.status !== 201) {
    return { outcome: `refused by admission: ${answer.status}`, message: messageOf(answer.body) };
  }
  const reference = {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisDecision',
    namespace,
    name: nameOf(answer.body),
  };
  const isSettled = (object: KubeObject) => statusFieldOf(object, 'outcome') !== '';
  const settled = await plane.client.waitFor(reference, isSettled, 40_000);
  return {
    outcome: statusFieldOf(settled, 'outcome'),
    message: statusFieldOf(settled, 'message'),
  };
}

export function rolloutNamed(name: string): ObjectReference {
  return { apiVersion: 'genesis.dev/v1alpha1', kind: 'GenesisRollout', namespace, name };
}

/** What is kept of a run in the cluster. */
export interface Kept {
  /** Of snapshots, in order, each once. */
  readonly indices: readonly number[];
  readonly segments: readonly KubeObject[];
  /** How many runs of suites are kept. */
  readonly suiteRuns: number;
  readonly markdown: string | undefined;
  readonly data: string | undefined;
}

export async function keptOf({ world }: Stage, name: string, runId: string): Promise<Kept> {
  const all = await world.plane.client.list('v1', 'ConfigMap', namespace);
  const own = all.filter(({ metadata }) => {
    const labels = metadata['labels'] as Readonly<Record<string, string>> | undefined;
    return labels?.['genesis.dev/rollout'] === name && labels['genesis.dev/run'] === runId;
  });
  const segments = own.filter((object) => object['binaryData'] !== undefined);
  const lines = segments.flatMap(linesIn);
  const indices = lines.flatMap(({ index }) => (typeof index === 'number' ? [index] : []));
  const report = own.find((object) => object['data'] !== undefined)?.['data'] as
    | Readonly<Record<string, string>>
    | undefined;
  const textOf = (suffix: string) =>
    Object.entries(report ?? {}).find(([key]) => key.endsWith(suffix))?.[1];
  return {
    indices: [...new Set(indices)].toSorted((a, b) => a - b),
    segments,
    suiteRuns: lines.filter(({ type }) => type === 'suite').length,
    markdown: textOf('.md'),
    data: textOf('.json'),
  };
}

type Line = Readonly<Record<string, unknown>>;

function linesIn(segment: KubeObject): Line[] {
  const [packed = ''] = Object.values(segment['binaryData'] as Readonly<Record<string, string>>);
  const lines = gunzipSync(Buffer.from(packed, 'base64')).toString().split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Line);
}
