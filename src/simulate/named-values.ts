/** What the scenario says of named measures, at any time: from its samples, or healthy where it says nothing. */
import type { Arm, Meaning, Subject } from './measures.ts';
import type { SeriesInput } from './scenario.ts';
import { parseSamples, type Samples, type SampleTiming, sampleKinds } from './series-notation.ts';

export interface TrafficShare {
  /** Canary's share at that time, in percent. */
  (atMs: number): number;
}

export interface Timed extends SampleTiming {
  readonly samples: Samples;
}

export type NamedValuesResult =
  | { readonly type: 'ok'; readonly values: NamedValues }
  | { readonly type: 'invalid'; readonly problems: readonly string[] };

export interface NamedValuesInput extends SampleTiming {
  readonly series: readonly SeriesInput[];
  readonly subjects: readonly Subject[];
  readonly isHealthyElse: boolean;
  readonly shareOf: TrafficShare;
}

export function namedValues(input: NamedValuesInput): NamedValuesResult {
  const { beginMs, intervalMs } = input;
  const problems: string[] = [];
  const said = new Map<string, Timed>();
  for (const [index, entry] of input.series.entries()) {
    const named = (['metric', 'trigger', 'criterion'] as const).find(
      (kind) => entry[kind] !== undefined,
    );
    if (named === undefined) continue;
    const name = entry[named] ?? '';
    const known = input.subjects.filter(({ kind }) => kind === named).map((one) => one.name);
    if (!known.includes(name)) {
      const allowed = known.length === 0 ? 'there is none' : `there are ${known.join(', ')}`;
      problems.push(
        `series[${index}].${named}: ${JSON.stringify(name)} has no query or ratio in the rollout; ${allowed}`,
      );
      continue;
    }
    const parsed = parseSamples(entry.values);
    if (parsed.type === 'invalid') problems.push(`series[${index}].values: ${parsed.message}`);
    else {
      const key = keyOf(named, name, entry.arm ?? 'canary');
      said.set(key, { samples: parsed.samples, beginMs, intervalMs });
    }
  }
  if (problems.length > 0) return { type: 'invalid', problems };
  return { type: 'ok', values: new NamedValues(input, said) };
}

export class NamedValues {
  readonly #input: NamedValuesInput;
  readonly #said: ReadonlyMap<string, Timed>;

  constructor(input: NamedValuesInput, said: ReadonlyMap<string, Timed>) {
    this.#input = input;
    this.#said = said;
  }

  /** Whether this part of the world is told by name at all. */
  tells({ subject, arm }: Meaning): boolean {
    return this.#timed(subject, arm) !== undefined || this.#input.isHealthyElse;
  }

  /** The number a query of this meaning answers at a time; undefined where it answers nothing. */
  reader({ subject, arm, part }: Meaning): (atMs: number) => number | undefined {
    const timed = this.#timed(subject, arm);
    const { shareOf } = this.#input;
    return (atMs) => {
      const canary = shareOf(atMs);
      const share = arm === 'canary' ? canary : 100 - canary;
      // Whoever gets no requests has no figures of them.
      if (subject.isArmBound && share === 0) return part === 'total' ? 0 : undefined;
      const value = timed === undefined ? subject.healthy : valueAt(timed, atMs);
      if (part === 'value' || value === undefined) return value;
      return part === 'total' ? share : value * share;
    };
  }

  /** Until when the answer stays the same, as long as nobody moves traffic. */
  constantUntil({ subject, arm }: Meaning, atMs: number): number {
    const timed = this.#timed(subject, arm);
    return timed === undefined ? Number.POSITIVE_INFINITY : nextChangeMs(timed, atMs);
  }

  #timed(subject: Subject, arm: Arm): Timed | undefined {
    const said = this.#said.get(keyOf(subject.kind, subject.name, arm));
    if (said !== undefined || subject.isArmBound) return said;
    // Without an arm in the query there is but one value, whoever it was said for.
    return this.#said.get(
      keyOf(subject.kind, subject.name, arm === 'canary' ? 'stable' : 'canary'),
    );
  }
}

/** The last sample stands until the end. */
export function valueAt({ samples, beginMs, intervalMs }: Timed, atMs: number): number | undefined {
  const last = samples.kinds.length - 1;
  const index = Math.min(last, Math.floor((atMs - beginMs) / intervalMs));
  return samples.kinds[index] === sampleKinds.value ? samples.values[index] : undefined;
}

/** When the next sample differs from the one that stands at this time. */
export function nextChangeMs({ samples, beginMs, intervalMs }: Timed, atMs: number): number {
  const { kinds, values } = samples;
  const last = kinds.length - 1;
  const index = Math.max(0, Math.min(last, Math.floor((atMs - beginMs) / intervalMs)));
  for (let next = index + 1; next <= last; next += 1) {
    if (kinds[next] !== kinds[index] || !Object.is(values[next], values[index])) {
      return beginMs + next * intervalMs;
    }
  }
  return Number.POSITIVE_INFINITY;
}

function keyOf(kind: string, name: string, arm: Arm): string {
  return `${kind} ${name} ${arm}`;
}
