/**
 * `preflight.backtest`: literal thresholds are tried on stable's history before the run. A trigger that would have fired
 * there would send healthy versions back. Asked once for a run; what came of it is in the status.
 */
import { holds } from '#api/condition-text.ts';
import { usedPlaceholders } from '#api/placeholders.ts';
import type { BacktestStatus } from '#api/status.ts';
import { fillerFor } from './fill.ts';
import { countHolds, firstHold, type HoldProof, type Truth } from './hold-proof.ts';
import {
  type FilledMeasure,
  fillMeasure,
  type ReadingAt,
  readWindow,
  type Window,
} from './reading.ts';
import type { RunBacktest, RunTrigger } from './run-spec.ts';
import { fromIsoOptional, spanText, tickAt, toIso } from './time.ts';
import type { RunView } from './view.ts';

/** A window of two weeks at a fine step is a great many readings; a longer step sees every long hold all the same. */
const POINTS_MAX = 20_000;
/** A hold has at least so many points of the first pass. */
const POINTS_PER_HOLD = 4;
/** So many of the holds that the first pass has seen are looked at again, point by point. */
const CHECKED_MAX = 20;
/** History that could not be read is asked for again after this. */
const RETRY_MS = 5 * 60_000;

/** @returns undefined where nothing is configured; `isAsked` while an answer is missing */
export function backtestOf(view: RunView): BacktestStatus | 'isAsked' | undefined {
  const { run, status, now } = view;
  if (run.backtest === undefined || run.preflight === 'Skip') return undefined;
  const known = status.backtest;
  const isOfThisSpec = known !== undefined && known.generation === status.runGeneration;
  const isStale =
    known?.outcome === 'Unknown' && now >= (fromIsoOptional(known.at) ?? 0) + RETRY_MS;
  if (isOfThisSpec && !isStale) return known;
  const { windowMs, maxFirings } = run.backtest;
  const found = run.triggers.filter(hasHistory).map((trigger) => ({
    trigger,
    replay: replay(view, trigger, run.backtest),
  }));
  const sentences: string[] = [];
  let isUnknown = false;
  for (const { trigger, replay: one } of found) {
    if (one === undefined) return 'isAsked';
    if ('type' in one) {
      isUnknown = true;
      sentences.push(`${trigger.name}: stable's history cannot be read: ${one.message}`);
    } else if (one.length > maxFirings) {
      sentences.push(firedText(trigger, one, { windowMs, maxFirings }));
    }
  }
  const fired = sentences.length > 0;
  return {
    outcome: isUnknown ? 'Unknown' : fired ? 'Failed' : 'Passed',
    at: toIso(now),
    ...(status.runGeneration === undefined ? {} : { generation: status.runGeneration }),
    message: fired
      ? sentences.join('; ')
      : `no trigger would have fired more than ${times(maxFirings)} in the last ${spanText(windowMs)} of stable`,
  };
}

/** What is asked of Prometheus at any time, by a literal rule that can act. */
function hasHistory({ judge, measure, severity }: RunTrigger): boolean {
  if (judge.type !== 'Threshold' || severity === 'Info') return false;
  if (measure.type !== 'query' && measure.type !== 'ratio') return false;
  const texts = measure.type === 'query' ? [measure.query] : [measure.bad, measure.total];
  // How long its window was at an older time nobody can say.
  return !texts.some((text) => usedPlaceholders(text).includes('window'));
}

type Replayed = readonly HoldProof[] | { readonly type: 'error'; readonly message: string };

/** A first pass on a coarse grid, which no long hold slips through, and each that it finds on the grid of evaluations. */
function replay(
  view: RunView,
  trigger: RunTrigger,
  backtest: RunBacktest | undefined,
): Replayed | undefined {
  const { run, startedAtMs, ask } = view;
  const windowMs = backtest?.windowMs ?? 0;
  const fill = fillerFor(run, 'stable', { weight: 0, windowMs });
  const past: Past = { trigger, measure: fillMeasure(trigger.measure, fill) };
  const endMs = tickAt(startedAtMs - run.offsetMs, run.intervalMs);
  const stepMs = coarseStepMs(trigger, run.intervalMs, windowMs);
  const startMs = endMs - Math.floor(windowMs / stepMs) * stepMs;
  const coarse = readWindow(past.measure, { startMs, endMs, stepMs }, ask);
  if (coarse === undefined || 'type' in coarse) return coarse;
  const seen = holdsIn(coarse, past, stepMs);
  if (stepMs === run.intervalMs) return seen;
  const checked = seen.slice(0, CHECKED_MAX).map((hold): Replayed | undefined => {
    const window = around(hold, stepMs, run.intervalMs, endMs);
    const fine = readWindow(past.measure, window, ask);
    if (fine === undefined || 'type' in fine) return fine;
    const first = firstHold(truthsOf(fine, trigger), limitsOf(trigger, run.intervalMs));
    return first === undefined ? [] : [first];
  });
  const failed = checked.find((one) => one !== undefined && 'type' in one);
  if (checked.includes(undefined)) return undefined;
  if (failed !== undefined) return failed;
  const proved = checked.flatMap((one) => (one === undefined || 'type' in one ? [] : one));
  return [...proved, ...seen.slice(CHECKED_MAX)];
}

interface Past {
  readonly trigger: RunTrigger;
  readonly measure: FilledMeasure;
}

function coarseStepMs({ forMs }: RunTrigger, intervalMs: number, windowMs: number): number {
  const leastMs = Math.max(forMs / POINTS_PER_HOLD, windowMs / POINTS_MAX);
  return Math.max(intervalMs, tickAt(leastMs, intervalMs));
}

function holdsIn(readings: readonly ReadingAt[], { trigger }: Past, stepMs: number): HoldProof[] {
  return countHolds(truthsOf(readings, trigger), limitsOf(trigger, stepMs));
}

/** From a coarse step before it was seen to the first point at which it had held. */
function around(hold: HoldProof, stepMs: number, intervalMs: number, endMs: number): Window {
  const toMs = (hold.firingAtMs ?? hold.activeAtMs) + stepMs;
  return {
    startMs: tickAt(hold.activeAtMs - stepMs, intervalMs),
    endMs: Math.min(endMs, tickAt(toMs, intervalMs)),
    stepMs: intervalMs,
  };
}

function truthsOf(readings: readonly ReadingAt[], { condition }: RunTrigger): Truth[] {
  return readings.map(({ atMs, reading }): Truth => {
    if (reading.type !== 'value') return { atMs, truth: 'unknown' };
    return { atMs, truth: holds(condition, reading.value) ? 'true' : 'false' };
  });
}

function limitsOf({ forMs }: RunTrigger, intervalMs: number) {
  return { boundMs: 0, forMs, intervalMs };
}

function firedText(
  { name, condition, forMs }: RunTrigger,
  firings: readonly HoldProof[],
  { windowMs, maxFirings }: RunBacktest,
): string {
  const firsts = firings.map(({ firingAtMs }) => firingAtMs ?? 0);
  const first = toIso(Math.min(...firsts));
  const rule = `${condition.text} for ${spanText(forMs)}`;
  return `${name} (${rule}) would have fired ${times(firings.length)} on stable in the last ${spanText(windowMs)}, first at ${first}; ${maxFirings} allowed`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
