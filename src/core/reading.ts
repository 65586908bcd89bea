/**
 * A reading is what one measure says at one time. Absence is never "healthy" and never "breach": it
 * stays a kind of its own until a trigger's policy decides what follows from it.
 */
import type {
  Answer,
  Ask,
  FailedAnswer,
  InstantAnswer,
  QueryFault,
  RangeAnswer,
  Sample,
  Series,
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

export interface ReadingAt {
  readonly atMs: number;
  readonly reading: Reading;
}

/** Prometheus refuses a range query of more than 11,000 points, so a longer window is asked in parts. */
const WINDOW_POINTS_MAX = 10_000;

/**
 * One reading per grid point of the window, ascending; undefined while an answer is still missing. A failed or
 * partial answer to any part is the answer to the whole: it says nothing of any point, absence included.
 */
export function readWindow(
  measure: FilledMeasure,
  window: Window,
  ask: Ask,
): readonly ReadingAt[] | FailedAnswer | undefined {
  const texts = measure.type === 'query' ? [measure.query] : [measure.bad, measure.total];
  const answers = texts.map((query) => readSeries(query, window, ask));
  const readers: ((atMs: number) => Single)[] = [];
  for (const answer of answers) {
    if (answer === undefined || 'type' in answer)
      return answers.includes(undefined) ? undefined : answer;
    readers.push(onePerPoint(answer, measure.series));
  }
  return gridPoints(window).map((atMs) => {
    const [first, second] = readers.map((at) => at(atMs));
    assert(first !== undefined, 'a measure asks at least one query');
    return { atMs, reading: second === undefined ? readQuery(first) : readRatio(first, second) };
  });
}

/** Every part is asked at once. */
function readSeries(
  query: string,
  window: Window,
  ask: Ask,
): readonly Series[] | FailedAnswer | undefined {
  const answers = partsOf(window).map((part) => asRange(ask({ type: 'range', query, ...part })));
  const all: Series[] = [];
  for (const answer of answers) {
    if (answer === undefined || answer.type === 'error') {
      return answers.includes(undefined) ? undefined : answer;
    }
    all.push(...answer.series);
  }
  return all;
}

/** Consecutive windows of at most so many points. */
function partsOf({ startMs, endMs, stepMs }: Window): readonly Window[] {
  const lengthMs = WINDOW_POINTS_MAX * stepMs;
  const starts = gridPoints({ startMs, endMs, stepMs: lengthMs });
  return starts.map((fromMs) => ({
    startMs: fromMs,
    endMs: Math.min(endMs, fromMs + lengthMs - stepMs),
    stepMs,
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
  /** Neither presence nor absence is proved. */
  | { readonly type: 'partial'; readonly message: string }
  | { readonly type: 'error'; readonly fault: QueryFault; readonly message: string };

function readQuery(single: Single): Reading {
  if (single.type === 'value' && Number.isNaN(single.value)) {
    return { type: 'noData', message: 'the query answers NaN' };
  }
  return single.type === 'absent' || single.type === 'partial'
    ? { type: 'noData', message: single.message }
    : single;
}

/**
 * A healthy service has no failing series at all, so `bad` may be absent; `total` may not.
 * total > 0 and bad absent → 0; total 0 → no traffic; total absent → the chain is broken (noData).
 */
function readRatio(bad: Single, total: Single): Reading {
  if (total.type === 'error') return total;
  if (bad.type === 'error') return bad;
  if (total.type === 'absent' || total.type === 'partial') {
    return { type: 'noData', message: `total: ${total.message}` };
  }
  if (bad.type === 'partial') return { type: 'noData', message: `bad: ${bad.message}` };
  if (Number.isNaN(total.value)) return { type: 'noData', message: 'total answers NaN' };
  if (total.value <= 0) return { type: 'noTraffic', message: 'total is 0' };
  if (bad.type === 'absent') return { type: 'value', value: 0 };
  if (Number.isNaN(bad.value)) return { type: 'noData', message: 'bad answers NaN' };
  const value = bad.value / total.value;
  if (Number.isNaN(value)) return { type: 'noData', message: 'bad / total is NaN' };
  return { type: 'value', value };
}

function oneSample(answer: InstantAnswer, series: SeriesSelector): Single {
  if (answer.type === 'error') return failed(answer.fault, answer.message);
  return onlyOne(answer.samples.filter((sample) => matches(sample, series)));
}

function onePerPoint(
  series: readonly Series[],
  selector: SeriesSelector,
): (atMs: number) => Single {
  const samplesAt = new Map<number, Sample[]>();
  for (const one of series) {
    if (!matches(one, selector)) continue;
    for (const point of one.points) {
      const samples = samplesAt.get(point.atMs) ?? [];
      samples.push({ labels: one.labels, value: point.value, atMs: point.atMs });
      samplesAt.set(point.atMs, samples);
    }
  }
  return (atMs) => onlyOne(samplesAt.get(atMs) ?? []);
}

/** A partial answer is no failure of ours to ask, and proves nothing: that `bad` is absent from it is no zero. */
function failed(fault: QueryFault, message: string): Single {
  return fault === 'partial' ? { type: 'partial', message } : { type: 'error', fault, message };
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
