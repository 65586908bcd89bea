/**
 * A reading is what one measure says at one time. Absence is never "healthy" and never "breach": it
 * stays a kind of its own until a trigger's policy decides what follows from it.
 */
import type {
  Answer,
  Ask,
  InstantAnswer,
  QueryFault,
  Question,
  RangeAnswer,
  Sample,
} from './answer.ts';
import { assert } from './assert.ts';
import type { Measure } from './run-spec.ts';

export type Reading =
  | { readonly type: 'value'; readonly value: number }
  /** `total` answered 0 or, for a ratio, was absent together with everything else: nobody asked the service anything. */
  | { readonly type: 'noTraffic'; readonly message: string }
  /** Empty, NaN, stale or partial. */
  | { readonly type: 'noData'; readonly message: string }
  /** The question could not be answered at all. */
  | { readonly type: 'error'; readonly fault: QueryFault; readonly message: string };

/** A measure's query texts with every placeholder filled in. */
export type FilledMeasure =
  | { readonly type: 'query'; readonly query: string; readonly series: SeriesSelector }
  | {
      readonly type: 'ratio';
      readonly bad: string;
      readonly total: string;
      readonly series: SeriesSelector;
    };

type SeriesSelector = Readonly<Record<string, string>> | undefined;

/** Fills the placeholders of a measure in; `fill` knows the arm and the time. */
export function fillMeasure(measure: Measure, fill: (text: string) => string): FilledMeasure {
  const series = fillSeries(measure.series, fill);
  return measure.type === 'query'
    ? { type: 'query', query: fill(measure.query), series }
    : { type: 'ratio', bad: fill(measure.bad), total: fill(measure.total), series };
}

function fillSeries(series: SeriesSelector, fill: (text: string) => string): SeriesSelector {
  if (series === undefined) return undefined;
  return Object.fromEntries(Object.entries(series).map(([label, value]) => [label, fill(value)]));
}

/** The reading at `atMs`; undefined while an answer is still missing. */
export function readAt(measure: FilledMeasure, atMs: number, ask: Ask): Reading | undefined {
  const instant = (query: string): InstantAnswer | undefined =>
    asInstant(ask({ type: 'instant', query, atMs }));
  if (measure.type === 'query') {
    const answer = instant(measure.query);
    return answer && readQuery(oneSample(answer, measure.series));
  }
  const bad = instant(measure.bad);
  const total = instant(measure.total);
  if (bad === undefined || total === undefined) return undefined;
  return readRatio(oneSample(bad, measure.series), oneSample(total, measure.series));
}

export interface Window {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/** One reading per grid point of the window, ascending; undefined while an answer is still missing. */
export function readWindow(
  measure: FilledMeasure,
  window: Window,
  ask: Ask,
): readonly { readonly atMs: number; readonly reading: Reading }[] | undefined {
  const range = (query: string): RangeAnswer | undefined =>
    asRange(ask({ type: 'range', query, ...window }));
  if (measure.type === 'query') {
    const answer = range(measure.query);
    if (answer === undefined) return undefined;
    const at = onePerPoint(answer, measure.series);
    return gridPoints(window).map((atMs) => ({ atMs, reading: readQuery(at(atMs)) }));
  }
  const bad = range(measure.bad);
  const total = range(measure.total);
  if (bad === undefined || total === undefined) return undefined;
  const badAt = onePerPoint(bad, measure.series);
  const totalAt = onePerPoint(total, measure.series);
  return gridPoints(window).map((atMs) => ({
    atMs,
    reading: readRatio(badAt(atMs), totalAt(atMs)),
  }));
}

/** Every multiple of the step in the window, both ends included. */
export function gridPoints(window: Window): readonly number[] {
  assert(window.stepMs > 0, 'the step of a window is positive');
  const points: number[] = [];
  for (let atMs = window.startMs; atMs <= window.endMs; atMs += window.stepMs) points.push(atMs);
  return points;
}

/** One number, or why there is none. */
type Single =
  | { readonly type: 'value'; readonly value: number }
  | { readonly type: 'absent'; readonly message: string }
  | { readonly type: 'error'; readonly fault: QueryFault; readonly message: string };

function readQuery(single: Single): Reading {
  if (single.type === 'value' && Number.isNaN(single.value)) {
    return { type: 'noData', message: 'the query answers NaN' };
  }
  return single.type === 'absent' ? { type: 'noData', message: single.message } : single;
}

/**
 * A healthy service has no failing series at all, so `bad` may be absent; `total` may not.
 * total > 0 and bad absent → 0; total 0 → no traffic; total absent → the chain is broken (noData).
 */
function readRatio(bad: Single, total: Single): Reading {
  if (total.type === 'error') return total;
  if (bad.type === 'error') return bad;
  if (total.type === 'absent') {
    return { type: 'noData', message: `total: ${total.message}` };
  }
  if (Number.isNaN(total.value)) return { type: 'noData', message: 'total answers NaN' };
  if (total.value <= 0) return { type: 'noTraffic', message: 'total is 0' };
  if (bad.type === 'absent') return { type: 'value', value: 0 };
  if (Number.isNaN(bad.value)) return { type: 'noData', message: 'bad answers NaN' };
  return { type: 'value', value: bad.value / total.value };
}

function oneSample(answer: InstantAnswer, series: SeriesSelector): Single {
  if (answer.type === 'error') return failed(answer.fault, answer.message);
  return onlyOne(answer.samples.filter((sample) => matches(sample, series)));
}

function onePerPoint(answer: RangeAnswer, series: SeriesSelector): (atMs: number) => Single {
  if (answer.type === 'error') {
    const single = failed(answer.fault, answer.message);
    return () => single;
  }
  const samplesAt = new Map<number, Sample[]>();
  for (const one of answer.series) {
    if (!matches(one, series)) continue;
    for (const point of one.points) {
      const samples = samplesAt.get(point.atMs) ?? [];
      samples.push({ labels: one.labels, value: point.value, atMs: point.atMs });
      samplesAt.set(point.atMs, samples);
    }
  }
  return (atMs) => onlyOne(samplesAt.get(atMs) ?? []);
}

/** A partial answer proves nothing, neither presence nor absence: it is as good as none. */
function failed(fault: QueryFault, message: string): Single {
  return fault === 'partial' ? { type: 'absent', message } : { type: 'error', fault, message };
}

function onlyOne(samples: readonly Sample[]): Single {
  const [first] = samples;
  if (first === undefined) return { type: 'absent', message: 'the query answers nothing' };
  if (samples.length > 1) {
    return {
      type: 'error',
      fault: 'badQuery',
      message: `the query answers ${samples.length} series where one is expected: aggregate it, or name one with \`series\``,
    };
  }
  return { type: 'value', value: first.value };
}

function matches(
  one: { readonly labels: Readonly<Record<string, string>> },
  series: SeriesSelector,
): boolean {
  if (series === undefined) return true;
  return Object.entries(series).every(([label, value]) => (one.labels[label] ?? '') === value);
}

function asInstant(answer: Answer | undefined): InstantAnswer | undefined {
  assert(answer?.type !== 'series', 'an instant question has an instant answer');
  return answer;
}

function asRange(answer: Answer | undefined): RangeAnswer | undefined {
  assert(answer?.type !== 'samples', 'a range question has a range answer');
  return answer;
}

export type { Question };
