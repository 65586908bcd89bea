/** One metric with a series for each rollout or more, and what its samples are made of. */

import { type Labels, labelText } from './exposition.ts';
import type { Seen } from './look.ts';
import type { rolloutSeries } from './rollout-catalogue.ts';
import type { Tallies } from './suite-tally.ts';

/** What is known of a rollout at a scrape. */
export interface Kept {
  readonly seen: Seen;
  readonly tallies: Tallies;
  /** What the newest look says that asked Prometheus anything; undefined before the first. */
  readonly isPrometheusUp: boolean | undefined;
}

/** Labels beyond those of the rollout, and the value. */
export type Sample = readonly [extra: string, value: number];

export interface Family {
  readonly name: keyof typeof rolloutSeries;
  readonly samples: (kept: Kept, nowMs: number) => readonly Sample[];
}

export function sample(labels: Labels, value: number): Sample {
  return [labelText(labels), value];
}
