/**
 * Does memory stay flat? The real controller (queue, shell, engine, routers, figures, shared answers) looks after rollouts
 * of 48 hours in virtual time, over an API server in memory. When a run has ended a new revision begins the next.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fieldManager, rolloutResource } from '#api/names.ts';
import { rolloutSpecSchema } from '#api/rollout.ts';
import { Controller } from '#controller/controller.ts';
import type { Answer, MetricQuestion } from '#core/answer.ts';
import type { KubeObject } from '#ports/cluster.ts';
import { createDedupe } from '#prometheus/dedupe.ts';
import { routeResources } from '#routers/index.ts';
import { WorkQueue } from '#runtime/work-queue.ts';
import { createTelemetry } from '#telemetry/metrics.ts';
import { FakeApiServer, FakeCluster } from '#test/fakes/cluster.ts';
import { quietShell } from '#test/shell.ts';
import { VirtualClock } from './virtual-clock.ts';
import { longRollout, longRoute, NAMESPACE, rolloutName } from './world.ts';

const HOUR_MS = 3_600_000;
/** One run and a little: then the next revision comes. */
const RUN_HOURS = 48;
const INTERVAL_MS = 60_000;
const START_MS = Date.UTC(2026, 10, 22);

export interface MemoryOptions {
  readonly hours: number;
  readonly rollouts: number;
}

export interface MemorySample {
  readonly hour: number;
  readonly heapMB: number;
  readonly looks: number;
  /** How many rollouts had succeeded in the run that ended here. */
  readonly succeeded: number;
}

export async function runMemory(options: MemoryOptions): Promise<readonly MemorySample[]> {
  const collect = garbageCollector();
  const world = createWorld(options.rollouts);
  const stop = new AbortController();
  world.controller.start(stop.signal);
  const samples: MemorySample[] = [];
  for (let hour = 1; hour <= options.hours; hour += 1) {
    await world.clock.runUntil(START_MS + hour * HOUR_MS);
    // The client's log of its requests belongs to the fake.
    (world.cluster.requests as unknown[]).length = 0;
    if (hour % RUN_HOURS !== 0) continue;
    const succeeded = world.succeeded();
    collect();
    const heapMB = process.memoryUsage().heapUsed / 1e6;
    const sample = { hour, heapMB, looks: world.looks(), succeeded };
    samples.push(sample);
    process.stdout.write(`${lineOf(sample)}\n`);
    world.nextRevision(`v${hour / RUN_HOURS + 2}`);
  }
  stop.abort();
  return samples;
}

function lineOf({ hour, heapMB, looks, succeeded }: MemorySample): string {
  return `${String(hour).padStart(5)} h  ${heapMB.toFixed(2)} MB  ${looks} looks  ${succeeded} succeeded`;
}

/** MB an hour by least squares, without the first sample: until then what is needed once is being made. */
export function slopeOf(samples: readonly MemorySample[]): number {
  const used = samples.slice(1);
  const mean = (values: number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
  const x = mean(used.map(({ hour }) => hour));
  const y = mean(used.map(({ heapMB }) => heapMB));
  const above = used.reduce((sum, { hour, heapMB }) => sum + (hour - x) * (heapMB - y), 0);
  return above / used.reduce((sum, { hour }) => sum + (hour - x) ** 2, 0);
}

function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

function createWorld(rollouts: number) {
  const clock = new VirtualClock(START_MS);
  const server = new FakeApiServer({ now: () => clock.now() });
  const routes = routeResources.find(({ kind }) => kind === 'HTTPRoute');
  if (routes === undefined) throw new Error('HTTPRoute is routed');
  const names = Array.from({ length: rollouts }, (_, index) => rolloutName(index));
  for (const name of names) {
    server.seed(rolloutResource, longRollout(name, 'v1', INTERVAL_MS));
    server.seed(routes, longRoute(name));
  }
  const cluster = new FakeCluster({ server });
  const telemetry = createTelemetry({ version: 'bench', clock });
  let looks = 0;
  const { reconciles } = telemetry;
  const shell = quietShell({
    clock,
    cluster,
    ask: createAsk(clock),
    observer: {
      ...reconciles,
      reconciled: (...told: Parameters<typeof reconciles.reconciled>) => {
        looks += 1;
        reconciles.reconciled(...told);
      },
    },
  });
  const queue = new WorkQueue({ clock, metrics: telemetry.queue });
  const controller = new Controller({ shell, queue, concurrency: 64 });
  const keyOf = (name: string) => ({ namespace: NAMESPACE, name });
  const rolloutOf = (name: string) => server.get(rolloutResource, keyOf(name));
  for (const name of names) {
    const object = rolloutOf(name);
    if (object !== undefined) controller.rolloutChanged(object, false);
  }
  cluster.onEvent(({ resource, object, type }) => {
    if (resource.kind !== rolloutResource.kind)
      controller.used(resource.kind, keyOf(object.metadata.name));
    else controller.rolloutChanged(object, type === 'deleted');
  });
  return {
    clock,
    cluster,
    controller,
    looks: () => looks,
    succeeded: () =>
      names.filter(
        (name) => Reflect.get(Object(rolloutOf(name)?.['status']), 'phase') === 'Succeeded',
      ).length,
    nextRevision: (revision: string) => {
      const write = { fieldManager: `not-${fieldManager}` };
      for (const name of names) {
        // Blue and green change roles: else the next run would begin by serving what is older.
        const { stable, canary } = trafficOf(rolloutOf(name));
        const traffic = { stable: canary, canary: stable };
        server.mergePatch(rolloutResource, keyOf(name), { spec: { revision, traffic } }, write);
      }
    },
  };
}

function trafficOf(rollout: KubeObject | undefined) {
  const spec = rolloutSpecSchema.parse(rollout?.['spec']);
  return spec.traffic;
}

/** Healthy but for a minute in every hour, in which a trigger becomes pending and goes back. */
function createAsk(clock: VirtualClock) {
  const answers = createDedupe<Answer>({
    clock,
    entriesMax: 20_000,
    sizeMax: 100_000,
    size: () => 1,
    keepMs: () => 10_000,
    onShared: () => undefined,
  });
  const valueAt = (atMs: number) => (Math.floor(atMs / INTERVAL_MS) % 60 === 7 ? 1 : 0);
  const answer = (question: MetricQuestion): Answer => {
    if (question.type === 'instant') {
      const { atMs } = question;
      return { type: 'samples', samples: [{ labels: {}, value: valueAt(atMs), atMs }], skewMs: 0 };
    }
    const points = [];
    for (let atMs = question.startMs; atMs <= question.endMs; atMs += question.stepMs) {
      points.push({ atMs, value: valueAt(atMs) });
    }
    return { type: 'series', series: [{ labels: {}, points }], skewMs: 0 };
  };
  return (question: MetricQuestion, _of: unknown, signal: AbortSignal): Promise<Answer> =>
    answers.ask(JSON.stringify(question), {
      signal,
      start: () => Promise.resolve(answer(question)),
      left: () => ({ type: 'error', fault: 'timeout', message: 'nobody waits any more' }),
    });
}
