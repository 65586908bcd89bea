/**
 * promtool's notation for a series' values, one sample an interval: `0+3x240 720x60 _x4 stale`. `axn` are n + 1 samples of a,
 * `a+bxn` are a, a + b, … a + n·b, `_` is a missing sample and `_xn` are n of them, `stale` ends the series.
 */

export const sampleKinds = { absent: 0, value: 1, stale: 2 } as const;

/** Samples in two columns of the same length; `values` means something only where the kind is `value`. */
export interface Samples {
  readonly kinds: Uint8Array;
  readonly values: Float64Array;
}

/** When samples are. */
export interface SampleTiming {
  /** When the first sample of every series is. */
  readonly beginMs: number;
  /** The distance of samples. */
  readonly intervalMs: number;
}

export type NotationResult =
  | { readonly type: 'ok'; readonly samples: Samples }
  | { readonly type: 'invalid'; readonly message: string };

/** Two days at 15 s are 11,520; a slip of the pen should not ask for a billion. */
const SAMPLES_MAX = 2_000_000;

const FORM =
  'a number, a+bxn, a-bxn, axn, _, _xn or stale, separated by blanks, such as "0+3x240 720x60 _x4 stale"';
const NUMBER =
  '[+-]?(?:[0-9]+[.]?[0-9]*(?:[eE][+-]?[0-9]+)?|[.][0-9]+(?:[eE][+-]?[0-9]+)?|Inf|NaN)';
const ITEM = new RegExp(`^(${NUMBER})(?:([+-](?:${NUMBER.slice(5)}))?x([0-9]+))?$`, 'i');
const BLANKS = /^_(?:x([0-9]+))?$/;

export function parseSamples(text: string): NotationResult {
  const runs: Run[] = [];
  for (const word of text.trim().split(/\s+/)) {
    const run = parseWord(word);
    if (typeof run === 'string') return { type: 'invalid', message: run };
    runs.push(run);
  }
  const length = runs.reduce((sum, run) => sum + run.count, 0);
  if (length > SAMPLES_MAX) {
    return {
      type: 'invalid',
      message: `has ${length} samples; at most ${SAMPLES_MAX} are allowed`,
    };
  }
  return { type: 'ok', samples: written(runs, length) };
}

interface Run {
  readonly kind: number;
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

function parseWord(word: string): Run | string {
  if (word === 'stale') return { kind: sampleKinds.stale, first: 0, step: 0, count: 1 };
  const blanks = BLANKS.exec(word);
  if (blanks !== null) {
    return { kind: sampleKinds.absent, first: 0, step: 0, count: Number(blanks[1] ?? 1) };
  }
  const [, first, step, times] = ITEM.exec(word) ?? [];
  if (first !== undefined) {
    const count = times === undefined ? 1 : Number(times) + 1;
    const rise = step === undefined ? 0 : numberOf(step);
    return { kind: sampleKinds.value, first: numberOf(first), step: rise, count };
  }
  const isHistogram = word.includes('{{') || word.includes('}}');
  const why = isHistogram
    ? 'is a native histogram, which simulate does not have; write classic buckets, one series for each le'
    : `is not ${FORM}`;
  return `${JSON.stringify(word)} ${why}`;
}

function numberOf(text: string): number {
  const plain = text.toLowerCase().replace(/^[+]/, '');
  if (plain.endsWith('inf')) return plain.startsWith('-') ? -Infinity : Infinity;
  return plain.endsWith('nan') ? Number.NaN : Number(plain);
}

/** Steps are added one by one, as promtool does, so that rounding is the same. */
function written(runs: readonly Run[], length: number): Samples {
  const kinds = new Uint8Array(length);
  const values = new Float64Array(length);
  let at = 0;
  for (const { kind, first, step, count } of runs) {
    let value = first;
    for (let index = 0; index < count; index += 1) {
      kinds[at] = kind;
      values[at] = value;
      value += step;
      at += 1;
    }
  }
  return { kinds, values };
}
