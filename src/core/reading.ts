/**
 * A reading is what one measure says at one time. Absence is never "healthy" and never "breach": it
 * stays a kind of its own until a trigger's policy decides what follows from it.
 */
import type {
  Answer,
  Ask,
  FailedAnswer,
  InstantAnswer,
  Probe,
  QueryFault,
  QuestionWindow,
  RangeAnswer,
  Sample,
  Series,
  SuiteFigureOf,
} from './answer.ts';
import { assert, assertNever } from './assert.ts';
import type { Measure } from './run-spec.ts';

export type Reading =
  | { readonly type: 'value'; readonly value: number }
  /** `total` answered 0 or, for a ratio, was absent together with everything else: nobody asked the service anything. */
  | { readonly type: 'noTraffic'; readonly message: string }
  /** Empty, NaN, stale or partial. */
  | { readonly type: 'noData'; readonly message: string }
  /** The question could not be answered at all. */
  | { readonly type: 'error'; readonly fault: QueryFault; readonly message: string };

/** A measure with every placeholder filled in. */
export type FilledMeasure =
  | { readonly type: 'query'; readonly query: string; readonly series: SeriesSelector }
  | {
      readonly type: 'ratio';
      readonly bad: string;
      readonly total: string;
      readonly series: SeriesSelector;
    }
  | ({ readonly type: 'probe' } & Probe)
  | ({ readonly type: 'suite' } & SuiteFigureOf);

type SeriesSelector = Readonly<Record<string, string>> | undefined;

/** Fills the placeholders of a measure in; `fill` knows the arm and the time. */
export function fillMeasure(measure: Measure, fill: (text: string) => string): FilledMeasure {
  switch (measure.type) {
    case 'query':
      return {
        type: 'query',
        query: fill(measure.query),
        series: fillSeries(measure.series, fill),
      };
    case 'ratio':
      return {
        type: 'ratio',
        bad: fill(measure.bad),
        total: fill(measure.total),
        series: fillSeries(measure.series, fill),
      };
    case 'probe':
      return { type: 'probe', url: measure.url, expectStatus: measure.expectStatus };
    case 'suite': {
      const { suite, of, validForMs } = measure;
      return { type: 'suite', suite, of, validForMs };
    }
    default:
      return assertNever(measure);
  }
}

/** What is asked, for messages: the query, the URL, the suite. */
export function measureText(measure: FilledMeasure): string {
  switch (measure.type) {
    case 'query':
      return `query ${measure.query.trim()}`;
    case 'ratio':
      return `query ${`${measure.bad} / ${measure.total}`.trim()}`;
    case 'probe':
      return `probe ${measure.url}`;
    case 'suite':
      return `suite ${measure.suite}`;
    default:
      return assertNever(measure);
  }
}

function fillSeries(series: SeriesSelector, fill: (text: string) => string): SeriesSelector {
  if (series === undefined) return undefined;
  return Object.fromEntries(Object.entries(series).map(([label, value]) => [label, fill(value)]));
}

/** The reading at `atMs`; undefined while an answer is still missing. */
export function readAt(measure: FilledMeasure, atMs: number, ask: Ask): Reading | undefined {
  const instant = (one: Source): InstantAnswer | undefined => asInstant(ask(instantOf(one, atMs)));
  const [first, second] = sourcesOf(measure);
  const answer = instant(first);
  if (second === undefined) return answer && readQuery(oneSample(answer, seriesOf(measure)));
  const total = instant(second);
  if (answer === undefined || total === undefined) return undefined;
  return readRatio(oneSample(answer, seriesOf(measure)), oneSample(total, seriesOf(measure)));
}

/** What one question is about, whenever it is asked. */
type Source =
  | { readonly type: 'query'; readonly query: string }
  | Extract<FilledMeasure, { readonly type: 'probe' | 'suite' }>;

/** One, or `bad` and `total`. */
function sourcesOf(measure: FilledMeasure): readonly [Source, Source?] {
  if (measure.type !== 'ratio') return [measure];
  return [
    { type: 'query', query: measure.bad },
    { type: 'query', query: measure.total },
  ];
}

function seriesOf(measure: FilledMeasure): SeriesSelector {
  return measure.type === 'query' || measure.type === 'ratio' ? measure.series : undefined;
}

function instantOf(source: Source, atMs: number): Parameters<Ask>[0] {
  return source.type === 'query'
    ? { type: 'instant', query: source.query, atMs }
    : { ...source, atMs };
}

function rangeOf(source: Source, window: Window): Parameters<Ask>[0] {
  switch (source.type) {
    case 'query':
      return { type: 'range', query: source.query, ...window };
    case 'probe':
      return { ...source, type: 'probeRange', ...window };
    case 'suite':
      return { ...source, type: 'suiteRange', ...window };
    default:
      return assertNever(source);
  }
}

export type Window = QuestionWindow;

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
  const scan = scanWindow(measure, window, ask);
  return typeof scan === 'function' ? collected(scan) : scan;
}

/** Goes through the readings of a window in order of time, as often as it is called. */
export type Scan = (visit: (atMs: number, reading: Reading) => void) => void;

/** As `readWindow`, for who need not keep the readings: a window of days has tens of thousands. */
export function scanWindow(
  measure: FilledMeasure,
  window: Window,
  ask: Ask,
): Scan | FailedAnswer | undefined {
  assert(window.stepMs > 0, 'the step of a window is positive');
  const sources = sourcesOf(measure).filter((one) => one !== undefined);
  const answers = sources.map((source) => readSeries(source, window, ask));
  const series: (readonly Series[])[] = [];
  for (const answer of answers) {
    if (answer === undefined || 'type' in answer)
      return answers.includes(undefined) ? undefined : answer;
    series.push(answer);
  }
  return (visit) => {
    const [first, second] = series.map((one) => onePerPoint(one, seriesOf(measure)));
    assert(first !== undefined, 'a measure asks at least one question');
    const read =
      second === undefined ? alike(first, readQuery) : alikePair(first, second, readRatio);
    for (let atMs = window.startMs; atMs <= window.endMs; atMs += window.stepMs) {
      visit(atMs, read(atMs));
    }
  };
}

export function collected(scan: Scan): readonly ReadingAt[] {
  const readings: ReadingAt[] = [];
  scan((atMs, reading) => readings.push({ atMs, reading }));
  return readings;
}

type Reader = (atMs: number) => Single;

/** Where the same is read again the reading is the same object. */
function alike(at: Reader, read: (one: Single) => Reading): (atMs: number) => Reading {
  let last: { readonly one: Single; readonly reading: Reading } | undefined;
  return (atMs) => {
    const one = at(atMs);
    if (last?.one !== one) last = { one, reading: read(one) };
    return last.reading;
  };
}

function alikePair(
  firstAt: Reader,
  secondAt: Reader,
  read: (one: Single, other: Single) => Reading,
): (atMs: number) => Reading {
  let last: { readonly one: Single; readonly other: Single; readonly reading: Reading } | undefined;
  return (atMs) => {
    const one = firstAt(atMs);
    const other = secondAt(atMs);
    if (last?.one !== one || last.other !== other) last = { one, other, reading: read(one, other) };
    return last.reading;
  };
}

/** Every part is asked at once. */
function readSeries(
  source: Source,
  window: Window,
  ask: Ask,
): readonly Series[] | FailedAnswer | undefined {
  const answers = partsOf(window).map((part) => asRange(ask(rangeOf(source, part))));
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
  if (total.value <= 0)
    return { type: 'noTraffic', message: 'there were no requests (total is 0)' };
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

/**
 * To be asked in order of time: a window of days has thousands of points, and mostly the same value at many. One series may
 * come in several parts, one after the other.
 */
function onePerPoint(all: readonly Series[], selector: SeriesSelector): Reader {
  const cursors = all
    .filter((one) => matches(one, selector))
    .map(({ points }) => ({ points, next: 0 }));
  const absent = onlyOne([]);
  let last: Extract<Single, { type: 'value' }> | undefined;
  return (atMs) => {
    let count = 0;
    let value = Number.NaN;
    for (const cursor of cursors) {
      const { points } = cursor;
      let point = points[cursor.next];
      while (point !== undefined && point.atMs < atMs) {
        cursor.next += 1;
        point = points[cursor.next];
      }
      if (point?.atMs !== atMs) continue;
      count += 1;
      value = point.value;
    }
    if (count === 0) return absent;
    if (count > 1) return tooMany(count);
    if (last === undefined || !Object.is(last.value, value)) last = { type: 'value', value };
    return last;
  };
}

/** A partial answer is no failure of ours to ask, and proves nothing: that `bad` is absent from it is no zero. */
function failed(fault: QueryFault, message: string): Single {
  return fault === 'partial' ? { type: 'partial', message } : { type: 'error', fault, message };
}

function onlyOne(samples: readonly Sample[]): Single {
  const [first] = samples;
  if (first === undefined) return { type: 'absent', message: 'the query answers nothing' };
  return samples.length > 1 ? tooMany(samples.length) : { type: 'value', value: first.value };
}

function tooMany(count: number): Single {
  const message = `the query answers ${count} series where one is expected: aggregate it, or name one with \`series\``;
  return { type: 'error', fault: 'badQuery', message };
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
