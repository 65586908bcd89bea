/** Everything about one simulated world that is drawn from its seed before it begins. */
import type { RolloutSpecInput } from '#api/rollout.ts';
import { drawEvents, type WorldEvent } from './events.ts';
import { drawFeatures, drawSpec, type Feature } from './features.ts';
import { streamOf } from './random.ts';
import { drawTruth, type Stretch, type Truth } from './truth.ts';

export const START_MS = Date.UTC(2026, 10, 22, 3, 17, 11);
/** Trouble ends here, and the world stays healthy for the rest. */
export const TROUBLE_END_MS = START_MS + 420_000;

export interface WorldPlan {
  readonly seed: number;
  readonly features: ReadonlySet<Feature>;
  readonly specOf: (revision: string) => RolloutSpecInput;
  readonly truth: Truth;
  readonly events: readonly WorldEvent[];
  /** How likely a request goes wrong. */
  readonly mishaps: number;
}

/** @param without names of what is left out, so that a failing world can be made smaller */
export function drawWorld(seed: number, without: ReadonlySet<string>): WorldPlan {
  const features = drawFeatures(seed, without);
  const time = { startMs: START_MS, endMs: TROUBLE_END_MS };
  const mishaps = streamOf(seed, 'mishaps').pick([0, 0.01, 0.03, 0.1]);
  return {
    seed,
    features,
    specOf: drawSpec(seed, features),
    truth: drawTruth(seed, time, features, without),
    events: drawEvents(seed, time, features, without),
    mishaps: without.has('mishaps') ? 0 : mishaps,
  };
}

/** Names of everything that could still be left out. */
export function partsOf({ features, truth, events, mishaps }: WorldPlan): string[] {
  const stretches = Object.values(truth)
    .flat()
    .map(({ id }: Stretch) => id);
  return [
    ...[...features].map((feature) => `feature:${feature}`),
    ...(mishaps > 0 ? ['mishaps'] : []),
    ...stretches,
    ...events.map(({ id }) => id),
  ];
}
