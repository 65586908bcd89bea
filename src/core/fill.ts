/** Placeholders of a query, filled in for one arm at one time. */

import { formatDuration } from '#api/duration.ts';
import { type PlaceholderValues, substitute } from '#api/placeholders.ts';
import type { RunSpec } from './run-spec.ts';

export type Arm = 'stable' | 'canary';

/** @param windowMs length of `$(window)`: from the start of the run (or the last extension) until now */
export function fillerFor(
  run: RunSpec,
  arm: Arm,
  moment: { readonly weight: number; readonly windowMs: number },
): (text: string) => string {
  const stable = run.stable?.service ?? '';
  const canary = run.canary?.service ?? '';
  const values: PlaceholderValues = {
    namespace: run.placeholders.namespace,
    rollout: run.placeholders.rollout,
    revision: run.revision,
    weight: String(moment.weight),
    'arm.service': arm === 'canary' ? canary : stable,
    'stable.service': stable,
    'canary.service': canary,
    window: formatDuration(Math.max(1000, Math.floor(moment.windowMs / 1000) * 1000)),
  };
  return (text) => (text.includes('$') ? substitute(text, values) : text);
}
