/** Time without readings is no bake: it is added up here and moves the point that comes next. */
import type { RolloutStatus } from '#api/status.ts';
import { fromIso, fromIsoOptional, toIso } from './time.ts';
import type { TriggerOutcome } from './trigger.ts';

/**
 * @param tickMs newest point of the evaluation grid
 * @returns the status with `blindSince` while a Critical trigger has no reading, and `blindMs` grown by the
 *   time it had none once it has one again
 */
export function withBlindness(
  status: RolloutStatus,
  triggers: readonly TriggerOutcome[],
  tickMs: number,
): RolloutStatus {
  const since = triggers.flatMap(({ trigger, status: one }) =>
    trigger.severity === 'Critical' && trigger.noData !== 'Ignore' && one.unknownSince !== undefined
      ? [fromIso(one.unknownSince)]
      : [],
  );
  if (since.length > 0) {
    if (status.blindSince !== undefined) return status;
    // What lies before the last point passed has been paid for there.
    const passed = status.plan?.flatMap((point) => fromIsoOptional(point.passedAt) ?? []) ?? [];
    return { ...status, blindSince: toIso(Math.max(Math.min(...since), ...passed)) };
  }
  if (status.blindSince === undefined) return status;
  const { blindSince, ...rest } = status;
  const blindMs = (status.blindMs ?? 0) + Math.max(0, tickMs - fromIso(blindSince));
  return { ...rest, blindMs };
}
