/** Placeholders of a query, filled in for one arm at one time. */

import { formatDuration } from '#api/duration.ts';
import { type PlaceholderValues, substitute } from '#api/placeholders.ts';
import type { RunSpec } from './run-spec.ts';

export type Arm = 'stable' | 'canary';

/** What differs from look to look; a text without it is filled in once for each arm of a run. */
const MOVING = /[$][(](weight|window)[)]/;

/** Queries that count have the length of their time in the text, so that there is no end of them. */
const TEXTS_MAX = 500;

interface Filled {
  readonly stable: Map<string, string>;
  readonly canary: Map<string, string>;
}

/** A run has so many texts as its spec says, and every look fills them all in. */
const filledOf = new WeakMap<RunSpec, Filled>();

/** @param windowMs length of `$(window)`: from the start of the run (or the last extension) until now */
export function fillerFor(
  run: RunSpec,
  arm: Arm,
  moment: { readonly weight: number; readonly windowMs: number },
): (text: string) => string {
  const known = filledOf.get(run) ?? { stable: new Map(), canary: new Map() };
  filledOf.set(run, known);
  const filled = known[arm];
  let values: PlaceholderValues | undefined;
  return (text) => {
    if (!text.includes('$')) return text;
    const before = filled.get(text);
    if (before !== undefined) return before;
    values ??= valuesFor(run, arm, moment);
    const made = substitute(text, values);
    if (MOVING.test(text)) return made;
    if (filled.size >= TEXTS_MAX) filled.clear();
    filled.set(text, made);
    return made;
  };
}

function valuesFor(
  run: RunSpec,
  arm: Arm,
  moment: { readonly weight: number; readonly windowMs: number },
): PlaceholderValues {
  const stable = run.stable?.service ?? '';
  const canary = run.canary?.service ?? '';
  return {
    namespace: run.placeholders.namespace,
    rollout: run.placeholders.rollout,
    revision: run.revision,
    weight: String(moment.weight),
    'arm.service': arm === 'canary' ? canary : stable,
    'stable.service': stable,
    'canary.service': canary,
    window: formatDuration(Math.max(1000, Math.floor(moment.windowMs / 1000) * 1000)),
  };
}
