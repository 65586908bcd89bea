/** Whoever is probed in a scenario: up, unless a trigger's probe is said to be down. A process knows only what it has seen. */
import type { RolloutSpec } from '#api/rollout.ts';
import type { Answer, ProbeQuestion } from '#core/answer.ts';
import { nextChangeMs, type Timed, valueAt } from './named-values.ts';
import type { SeriesInput } from './scenario.ts';
import { parseSamples, type SampleTiming } from './series-notation.ts';

export type ProbesResult =
  | { readonly type: 'ok'; readonly probes: VirtualProbes }
  | { readonly type: 'invalid'; readonly problems: readonly string[] };

export function virtualProbes(
  series: readonly SeriesInput[],
  spec: RolloutSpec,
  timing: SampleTiming,
): ProbesResult {
  const problems: string[] = [];
  const byUrl = new Map<string, Timed>();
  for (const [index, { probe, values }] of series.entries()) {
    if (probe === undefined) continue;
    const url = spec.triggers.find((one) => one.name === probe)?.probe?.url;
    const parsed = parseSamples(values);
    if (url === undefined) {
      const known = spec.triggers.flatMap((one) => (one.probe === undefined ? [] : [one.name]));
      const allowed = known.length === 0 ? 'there is none' : `there are ${known.join(', ')}`;
      const what = `is no trigger with a probe; ${allowed}`;
      problems.push(`series[${index}].probe: ${JSON.stringify(probe)} ${what}`);
    } else if (parsed.type === 'invalid') {
      problems.push(`series[${index}].values: ${parsed.message}`);
    } else {
      byUrl.set(url, { samples: parsed.samples, ...timing });
    }
  }
  return problems.length > 0
    ? { type: 'invalid', problems }
    : { type: 'ok', probes: new VirtualProbes(byUrl) };
}

export class VirtualProbes {
  readonly #byUrl: ReadonlyMap<string, Timed>;
  /** Since when the process that asks has run. */
  seenSinceMs = Number.NEGATIVE_INFINITY;

  constructor(byUrl: ReadonlyMap<string, Timed>) {
    this.#byUrl = byUrl;
  }

  answer(question: ProbeQuestion): Answer {
    const at = (atMs: number) => ({ atMs, value: this.at(question.url, atMs) });
    if (question.type === 'probe') {
      return { type: 'samples', samples: [{ labels: {}, ...at(question.atMs) }], skewMs: 0 };
    }
    const points = [];
    for (let atMs = question.startMs; atMs <= question.endMs; atMs += question.stepMs) {
      if (atMs >= this.seenSinceMs) points.push(at(atMs));
    }
    return {
      type: 'series',
      series: points.length === 0 ? [] : [{ labels: {}, points }],
      skewMs: 0,
    };
  }

  constantUntil(url: string, atMs: number): number {
    const timed = this.#byUrl.get(url);
    return timed === undefined ? Number.POSITIVE_INFINITY : nextChangeMs(timed, atMs);
  }

  /** 1 is up, 0 is down; the last sample stands until the end. */
  at(url: string, atMs: number): number {
    const timed = this.#byUrl.get(url);
    return timed === undefined || valueAt(timed, atMs) === 1 ? 1 : 0;
  }
}
