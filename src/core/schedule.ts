/**
 * The plan in time. A point is due at `max(startedAt + at, when the point before it was passed + their
 * planned distance)`, plus the time spent without readings: whatever delays one point moves all later
 * ones, so no bake is shortened and `end` never judges a plan that was not carried out.
 */
import type { PlanPointStatus, RolloutStatus } from '#api/status.ts';
import { assert } from './assert.ts';
import type { PlanPoint, RunSpec } from './run-spec.ts';
import { fromIso, fromIsoOptional, toIso } from './time.ts';

/** The first point after the last one passed; undefined when all are passed. One point at a time. */
export function currentPoint(run: RunSpec, status: RolloutStatus): PlanPoint | undefined {
  return run.points[lastPassedIndex(run, status) + 1];
}

/** What a plan was resolved from, and the plan. */
interface Resolved {
  readonly startedAt: string | undefined;
  readonly before: RolloutStatus['plan'];
  readonly blindMs: number;
  readonly plan: PlanPointStatus[];
}

/** The plan resolved last for each run: from one point to the next it stays the same, and every look needs it. */
const lastResolved = new WeakMap<RunSpec, Resolved>();

/** The plan with real times for what has been passed and expected times for the rest. */
export function resolvePlan(run: RunSpec, status: RolloutStatus): PlanPointStatus[] {
  const { startedAt, plan: before, blindMs = 0 } = status;
  const last = lastResolved.get(run);
  const isSame =
    last !== undefined &&
    last.before === before &&
    last.startedAt === startedAt &&
    last.blindMs === blindMs;
  if (isSame) return last.plan;
  const plan = resolveAnew(run, status);
  lastResolved.set(run, { startedAt, before, blindMs, plan });
  return plan;
}

function resolveAnew(run: RunSpec, status: RolloutStatus): PlanPointStatus[] {
  const dueTimes = planDueTimes(run, status);
  return run.points.map((point, index) => {
    const passedAt = entryOf(status, point)?.passedAt;
    const weight = plannedWeight(status, point);
    return {
      name: point.name,
      kind: point.kind,
      dueAt: toIso(dueTimes[index] ?? 0),
      ...(passedAt === undefined ? {} : { passedAt }),
      ...(weight === undefined ? {} : { weight }),
    };
  });
}

/** When each point of the plan is or was due, ms since the epoch, in the order of the points. */
function planDueTimes(run: RunSpec, status: RolloutStatus): number[] {
  assert(status.startedAt !== undefined, 'a plan belongs to a started run');
  const startedAtMs = fromIso(status.startedAt);
  const current = currentPoint(run, status);
  let earlier: { readonly atMs: number; readonly timeMs: number } | undefined;
  return run.points.map((point) => {
    const plannedMs = startedAtMs + point.atMs;
    const afterEarlierMs = earlier ? earlier.timeMs + point.atMs - earlier.atMs : plannedMs;
    const extendedMs = point.kind === 'End' ? extendedUntilMs(status) : 0;
    const blindMs = point === current ? (status.blindMs ?? 0) : 0;
    const known = entryOf(status, point);
    const dueMs =
      known?.passedAt === undefined
        ? Math.max(plannedMs, afterEarlierMs, extendedMs) + blindMs
        : fromIso(known.dueAt);
    earlier = { atMs: point.atMs, timeMs: fromIsoOptional(known?.passedAt) ?? dueMs };
    return dueMs;
  });
}

/** Every extension moves the end on, so the last one counts; 0 without any. */
function extendedUntilMs({ extensions }: RolloutStatus): number {
  return fromIsoOptional(extensions?.at(-1)?.until) ?? 0;
}

/**
 * The share that a step stands for. An edit never raises what has been passed: more weight than was reached
 * needs a step of its own, with all that a rise needs.
 */
export function plannedWeight(status: RolloutStatus, point: PlanPoint): number | undefined {
  const known = entryOf(status, point);
  if (known?.passedAt === undefined || point.weight === undefined) return point.weight;
  return Math.min(point.weight, known.weight ?? point.weight);
}

/** The last step that has been passed and that the plan, as it is now, still has. */
export function lastPassedStep(run: RunSpec, status: RolloutStatus): PlanPoint | undefined {
  return run.points.findLast(
    (point) => point.kind === 'Step' && entryOf(status, point)?.passedAt !== undefined,
  );
}

/** When the weight of a step was last read back; undefined before the first. */
export function lastStepPassedMs({ plan = [] }: RolloutStatus): number | undefined {
  const passed = plan.flatMap(({ kind, passedAt }) =>
    kind === 'Step' && passedAt !== undefined ? [fromIso(passedAt)] : [],
  );
  return passed.length === 0 ? undefined : Math.max(...passed);
}

/** When a point of the plan is due, ms since the epoch; a person may have ended its waiting. */
export function dueAtMs(run: RunSpec, status: RolloutStatus, point: PlanPoint): number {
  if (status.promotedPoint === point.name) return 0;
  const dueMs = planDueTimes(run, status)[run.points.indexOf(point)];
  assert(dueMs !== undefined, `point ${point.name} belongs to the plan`);
  return dueMs;
}

/** Until when the plan that was carried out is watched, before the promotion: time without readings is not watched. */
export function monitoredUntilMs(
  run: RunSpec,
  { plan, blindMs = 0 }: RolloutStatus,
  now: number,
): number {
  const endedAtMs = fromIsoOptional(plan?.at(-1)?.passedAt) ?? now;
  return endedAtMs + run.thenMonitorForMs + blindMs;
}

/** The status after a point has been passed: bake and blindness start anew. */
export function passPoint(
  run: RunSpec,
  status: RolloutStatus,
  point: PlanPoint,
  now: number,
): RolloutStatus {
  assert(currentPoint(run, status) === point, `${point.name} is the point that comes next`);
  const { blindMs = 0, blindSince: _, promotedPoint: __, promotedAt: ___, ...rest } = status;
  const blindPassedMs = (rest.blindPassedMs ?? 0) + blindMs;
  const plan = resolvePlan(run, status).map((entry) =>
    entry.name === point.name && entry.kind === point.kind
      ? { ...entry, passedAt: toIso(now) }
      : entry,
  );
  const passed = { ...rest, ...(blindPassedMs > 0 ? { blindPassedMs } : {}), plan };
  return { ...passed, plan: resolvePlan(run, passed) };
}

function lastPassedIndex(run: RunSpec, status: RolloutStatus): number {
  return run.points.findLastIndex((point) => entryOf(status, point)?.passedAt !== undefined);
}

function entryOf(status: RolloutStatus, point: PlanPoint): PlanPointStatus | undefined {
  return status.plan?.find((one) => one.name === point.name && one.kind === point.kind);
}
