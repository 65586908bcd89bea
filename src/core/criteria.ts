/**
 * One criterion over a window: it is met when no violation of it lasted its `for` and readings cover at least
 * 99 % of the time in which traffic was expected. The answer says what was seen, in one sentence.
 */
import { type Condition, formatValue, holds } from '#api/condition-text.ts';
import { usedPlaceholders } from '#api/placeholders.ts';
import type { Ask } from './answer.ts';
import { firstHold, type HoldProof, type Truth } from './hold-proof.ts';
import {
  collected,
  fillMeasure,
  type Reading,
  type ReadingAt,
  readAt,
  type Scan,
  scanWindow,
} from './reading.ts';
import type { Measure, RunCriterion } from './run-spec.ts';
import { clockText, spanText } from './time.ts';

/** Readings must cover this share of the time in which some are expected. */
export const COVERAGE_MIN = 0.99;

export interface CriteriaWindow {
  readonly startMs: number;
  /** Newest point of the evaluation grid. */
  readonly endMs: number;
  readonly intervalMs: number;
  /** Since when canary has had traffic by plan; undefined while it has none. */
  readonly trafficSinceMs: number | undefined;
  /** When the first run of a suite began: one that an edit has added cannot tell of the time before. */
  readonly suiteSinceMs: (suite: string) => number | undefined;
  readonly fill: (text: string) => string;
  readonly ask: Ask;
}

export type CriterionVerdict =
  | { readonly type: 'met'; readonly message: string }
  | { readonly type: 'missed'; readonly message: string }
  /** Not known now: to be asked again. */
  | { readonly type: 'unknown'; readonly message: string };

export function judgeCriterion(criterion: RunCriterion, window: CriteriaWindow): CriterionVerdict {
  const { name, measure } = criterion;
  if (looksOverWindow(measure)) return judgeOnce(criterion, window);
  const span = expectedSpan(measure, window);
  if (span === undefined) return { type: 'met', message: `${name}: canary has no traffic yet` };
  const filled = fillMeasure(measure, window.fill);
  const scan = scanWindow(filled, { ...span, stepMs: window.intervalMs }, window.ask);
  if (scan === undefined) return { type: 'unknown', message: `${name} is being asked` };
  if (typeof scan !== 'function') return { type: 'unknown', message: `${name}: ${scan.message}` };
  const tally = tallyOf(scan, criterion.condition);
  if (measure.type === 'suite' && tally.values === 0) {
    return { type: 'unknown', message: `${name}: the suite has no result yet` };
  }
  return judgeReadings(criterion, { scan, tally, intervalMs: window.intervalMs });
}

/** How many readings of a window there are, and of how many something is known. */
interface Tally {
  readonly points: number;
  readonly values: number;
  readonly violations: number;
}

function tallyOf(scan: Scan, condition: Condition): Tally {
  const truthOf = truthReader(condition);
  let points = 0;
  let values = 0;
  let violations = 0;
  scan((_, reading) => {
    const truth = truthOf(reading);
    points += 1;
    if (truth !== 'unknown') values += 1;
    if (truth === 'true') violations += 1;
  });
  return { points, values, violations };
}

/** A query that names `$(window)` looks over all of it by itself: asked once, at its end. */
export function looksOverWindow(measure: Measure): boolean {
  return textsOf(measure).some((text) => usedPlaceholders(text).includes('window'));
}

function textsOf(measure: Measure): readonly string[] {
  if (measure.type === 'query') return [measure.query];
  return measure.type === 'ratio' ? [measure.bad, measure.total] : [];
}

function judgeOnce(criterion: RunCriterion, window: CriteriaWindow): CriterionVerdict {
  const { name, condition, measure } = criterion;
  const reading = readAt(fillMeasure(measure, window.fill), window.endMs, window.ask);
  if (reading === undefined) return { type: 'unknown', message: `${name} is being asked` };
  if (reading.type !== 'value') {
    return { type: 'unknown', message: `${name} has no reading: ${reading.message}` };
  }
  const seen = `${name} is ${formatValue(reading.value, condition.unit)}`;
  const span = `over the last ${spanText(window.endMs - window.startMs)}`;
  return holds(condition, reading.value)
    ? { type: 'met', message: `${seen}, ${condition.text}, ${span}` }
    : { type: 'missed', message: `${seen}, not ${condition.text}, ${span}` };
}

/**
 * The grid points that count: those whose look back lies within the window, and within the time in which canary
 * has had traffic. Always at least the newest one; undefined where no traffic is expected at all.
 */
function expectedSpan(
  measure: Measure,
  window: CriteriaWindow,
): { readonly startMs: number; readonly endMs: number } | undefined {
  const { startMs, endMs, intervalMs, trafficSinceMs } = window;
  if (measure.isArmBound && trafficSinceMs === undefined) return undefined;
  const fromMs =
    measure.type === 'suite'
      ? Math.max(startMs, window.suiteSinceMs(measure.suite) ?? startMs)
      : measure.isArmBound
        ? Math.max(startMs, trafficSinceMs ?? startMs)
        : startMs;
  // The first result of a suite has its interval and its timeout to come.
  const firstAfterMs = measure.type === 'suite' ? measure.validForMs : measure.rangeMs;
  const firstMs = Math.ceil((fromMs + firstAfterMs) / intervalMs) * intervalMs;
  return { startMs: Math.min(firstMs, endMs), endMs };
}

function judgeReadings(
  criterion: RunCriterion,
  { scan, tally, intervalMs }: { scan: Scan; tally: Tally; intervalMs: number },
): CriterionVerdict {
  const { name, condition } = criterion;
  // In most windows nothing is violated, and then there is nothing that could have lasted.
  const lasted =
    tally.violations === 0 ? undefined : lasting(criterion, collected(scan), intervalMs);
  if (lasted !== undefined) return { type: 'missed', message: lasted };
  const share = tally.values / Math.max(1, tally.points);
  if (share < COVERAGE_MIN) {
    const message = `${name}: readings cover ${percentText(share)} of ${spanText(tally.points * intervalMs)}, 99% are needed`;
    return { type: 'missed', message };
  }
  return { type: 'met', message: `${name} ${condition.text}` };
}

/** The violation that lasted its time, as a sentence; undefined: none did. */
function lasting(
  criterion: RunCriterion,
  readings: readonly ReadingAt[],
  intervalMs: number,
): string | undefined {
  const { condition, forMs } = criterion;
  const truthOf = truthReader(condition);
  const truths = readings.map(({ atMs, reading }): Truth => ({ atMs, truth: truthOf(reading) }));
  const boundMs = readings[0]?.atMs ?? 0;
  const violation = firstHold(truths, { boundMs, forMs, intervalMs });
  return violation && violationText(criterion, violation, readings);
}

/** A violation is what is true or false here. Neighbours often are the same reading. */
function truthReader(condition: Condition): (reading: Reading) => Truth['truth'] {
  let last: { readonly reading: Reading; readonly truth: Truth['truth'] } | undefined;
  return (reading) => {
    if (last?.reading === reading) return last.truth;
    const truth =
      reading.type !== 'value' ? 'unknown' : holds(condition, reading.value) ? 'false' : 'true';
    last = { reading, truth };
    return truth;
  };
}

/** Rounded down: 98.99 % is not shown as the 99 % that are needed. */
function percentText(share: number): string {
  return `${Math.floor(share * 1000) / 10}%`;
}

/** The violation as a whole, to where it ends: since when, for how long, and the worst of it. */
function violationText(
  { name, condition }: RunCriterion,
  violation: HoldProof,
  readings: readonly ReadingAt[],
): string {
  const values: number[] = [];
  let lastMs = violation.activeAtMs;
  for (const { atMs, reading } of readings) {
    if (atMs < violation.activeAtMs || reading.type !== 'value') continue;
    if (holds(condition, reading.value)) break;
    values.push(reading.value);
    lastMs = atMs;
  }
  const worst = formatValue(worstOf(values, condition), condition.unit);
  const lasted = spanText(lastMs - violation.activeAtMs);
  return `${name} ${worst} at worst, not ${condition.text}, for ${lasted} since ${clockText(violation.activeAtMs)}`;
}

function worstOf(values: readonly number[], { operator }: Condition): number {
  if (operator === '<' || operator === '<=') return values.reduce((a, b) => Math.max(a, b));
  if (operator === '>' || operator === '>=') return values.reduce((a, b) => Math.min(a, b));
  return values[0] ?? Number.NaN;
}
