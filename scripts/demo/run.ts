/** One run of the demo: the rollout is applied, watched until it has ended, and summed up. */
import type { RolloutStatus } from '#api/status.ts';
import { systemClock } from '#runtime/clock.ts';
import { type ControllerProcess, triggerValues } from './controller.ts';
import { liveView } from './live-view.ts';
import type { Load } from './load.ts';
import {
  type Roles,
  rolloutObject,
  rolloutReference,
  routeReference,
  serviceOf,
} from './objects.ts';
import {
  type Observation,
  type SeenStatus,
  type SeenWeight,
  shareBetween,
  weightOn,
} from './observation.ts';
import type { DemoPlan } from './plan.ts';
import type { Screen } from './screen.ts';
import { expected, type RunSummary, summarize } from './summary.ts';
import { startWatch, type Watching } from './watch.ts';
import type { World } from './world.ts';

export interface RunOptions {
  readonly number: number;
  readonly title: string;
  readonly version: string;
  readonly roles: Roles;
  readonly expected: 'Succeeded' | 'RolledBack';
  /** Whether the version begins to fail at 50 %. */
  readonly fails: boolean;
}

export interface Stage {
  readonly world: World;
  readonly controller: ControllerProcess;
  readonly load: Load;
  readonly plan: DemoPlan;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

const redrawEveryMs = 250;
/** Beyond the plan: preflight, moments without readings, verification of a rollback. */
const graceMs = 90_000;

export async function carryOut(options: RunOptions, stage: Stage): Promise<RunSummary> {
  const { world, plan, load, screen, signal } = stage;
  const { namespace, client } = world;
  const firstResponse = load.responses.length;
  const rollout = rolloutObject({
    namespace,
    revision: options.version,
    roles: options.roles,
    plan,
  });
  const record: Recording = { weights: [], statuses: [], faultAtMs: undefined };
  const seen = (): Observation => ({
    ...record,
    version: options.version,
    responses: load.responses.slice(firstResponse),
  });
  const show = async () => {
    const values = await triggerValues(stage.controller.metricsUrl);
    const nowMs = systemClock.now();
    screen.show(liveView({ title: options.title, nowMs, rollout, plan, seen: seen(), values }));
  };
  const watches = await watchRun(options, stage, record);
  try {
    await client.apply(rollout);
    const deadlineMs = systemClock.monotonic() + plan.endMs * 1.5 + graceMs;
    while (!isOver(seen()) && systemClock.monotonic() < deadlineMs) {
      await checkParts(stage);
      await failWhenDue(options, stage, record);
      await show();
      await systemClock.sleep(redrawEveryMs, signal);
    }
    await show();
  } finally {
    screen.settle();
    await Promise.all(watches.map(async (watch) => await watch.stop()));
  }
  const endedAtMs = systemClock.now();
  return summarize(seen(), { run: options.number, outcome: options.expected, endedAtMs });
}

interface Recording {
  readonly weights: SeenWeight[];
  readonly statuses: SeenStatus[];
  faultAtMs: number | undefined;
}

async function watchRun(
  { version, roles }: RunOptions,
  { world }: Stage,
  record: Recording,
): Promise<readonly Watching[]> {
  const { client, namespace } = world;
  const collection = async (reference: Parameters<typeof client.pathOf>[0]) =>
    (await client.pathOf(reference)).replace(/\/[^/]+$/, '');
  const [stable, canary] = [serviceOf(roles.stable), serviceOf(roles.canary)];
  const route = routeReference(namespace);
  const rollout = rolloutReference(namespace);
  return [
    startWatch({
      client,
      path: await collection(route),
      name: route.name,
      onObject: (object, seenAtMs) => {
        const weight = weightOn(object, stable, canary);
        if (weight !== undefined && record.weights.at(-1)?.weight !== weight)
          record.weights.push({ seenAtMs, weight });
      },
    }),
    startWatch({
      client,
      path: await collection(rollout),
      name: rollout.name,
      onObject: (object, seenAtMs) => {
        const status = (object['status'] ?? {}) as RolloutStatus;
        // Until the operator has seen the new revision the status speaks of the run before.
        if (status.revision === version) record.statuses.push({ seenAtMs, status });
      },
    }),
  ];
}

/** Some time after the route was seen to be at 50 %, so that it is a good version that turns bad. */
async function failWhenDue(
  { fails, roles }: RunOptions,
  { world, plan }: Stage,
  record: Recording,
) {
  if (!fails || record.faultAtMs !== undefined) return;
  const half = record.statuses
    .at(-1)
    ?.status.plan?.find(({ weight, passedAt }) => weight === 50 && passedAt !== undefined);
  if (half?.passedAt === undefined) return;
  const nowMs = systemClock.now();
  if (nowMs < Date.parse(half.passedAt) + plan.faultAfterMs) return;
  record.faultAtMs = nowMs;
  await world.fail(roles.canary, plan.errorRate);
}

/** After a rollback it goes on until enough requests show where customers end up. */
function isOver(seen: Observation): boolean {
  const phase = seen.statuses.at(-1)?.status.phase;
  if (phase === 'Succeeded') return true;
  if (phase !== 'RolledBack') return false;
  const fromMs = seen.weights.at(-1)?.seenAtMs ?? 0;
  const { requests } = shareBetween(seen.responses, seen.version, fromMs, Infinity);
  return requests >= expected.requestsMin;
}

async function checkParts({ world, controller }: Stage): Promise<void> {
  const ended = controller.isRunning() ? await world.ended() : 'controller';
  if (ended !== undefined) throw new Error(`${ended} has ended by itself in mid-run`);
}
