/**
 * How long the world stays as it was at a look: until then no measure of any trigger changes its truth, so that routine
 * evaluations may be left out. `--every-tick` carries them out all the same, and tests see that nothing differs.
 */
import { holds } from '#api/condition-text.ts';
import type { Ask } from '#core/answer.ts';
import type { Decision } from '#core/decision.ts';
import { fillerFor } from '#core/fill.ts';
import { asksForWindow, queriesIn } from '#core/measure-queries.ts';
import { fillMeasure, type Reading, readWindow } from '#core/reading.ts';
import type { RunSpec, RunTrigger } from '#core/run-spec.ts';
import { tickAt } from '#core/time.ts';

export interface QuietWorld {
  readonly ask: Ask;
  /**
   * Until when a query answers exactly what it answers at `atMs`, if nobody moves traffic; undefined where only asking can tell.
   */
  readonly constantUntil: (query: string, atMs: number) => number | undefined;
  readonly probeUntil: (url: string, atMs: number) => number;
  readonly suiteUntil: (suite: string, validForMs: number, atMs: number) => number;
  readonly weight: number;
}

/** So many evaluations are looked at ahead at once. */
const AHEAD = 240;

/** Truths of raw series ahead, by filled query and condition. */
interface Ahead {
  readonly fromMs: number;
  readonly toMs: number;
  readonly truths: readonly string[];
}

export class Quiet {
  readonly #ahead = new Map<string, Ahead>();

  /** The first evaluation, after the one at `now`, at which some trigger's truth may differ; at most the limit. */
  until(
    run: RunSpec,
    decision: Decision,
    time: { readonly nowMs: number; readonly limitMs: number; readonly startedAtMs: number },
    world: QuietWorld,
  ): number {
    const tickMs = tickAt(time.nowMs - run.offsetMs, run.intervalMs);
    let limitMs = time.limitMs - run.offsetMs;
    for (const { trigger } of decision.triggers) {
      if (limitMs <= tickMs + run.intervalMs) break;
      limitMs = Math.min(limitMs, this.#untilOf(trigger, run, { ...time, tickMs, limitMs }, world));
    }
    return limitMs + run.offsetMs;
  }

  #untilOf(
    trigger: RunTrigger,
    run: RunSpec,
    time: {
      readonly nowMs: number;
      readonly tickMs: number;
      readonly limitMs: number;
      readonly startedAtMs: number;
    },
    world: QuietWorld,
  ): number {
    const { measure } = trigger;
    const { tickMs } = time;
    if (measure.type === 'suite') {
      return world.suiteUntil(measure.suite, measure.validForMs, tickMs);
    }
    if (measure.type === 'probe') return world.probeUntil(measure.url, tickMs);
    const texts = queriesIn(measure);
    if (texts.every((text) => text === '')) return Number.POSITIVE_INFINITY;
    const windowMs = time.nowMs - time.startedAtMs;
    const fill = fillerFor(run, 'canary', { weight: world.weight, windowMs });
    const untils = texts.map((text) => world.constantUntil(fill(text), tickMs));
    const known = untils.filter((until) => until !== undefined);
    if (known.length === untils.length) return Math.min(...known);
    if (asksForWindow(measure)) return tickMs;
    const truths = this.#truths(trigger, run, fill, { tickMs, ask: world.ask });
    const index = (tickMs - truths.fromMs) / run.intervalMs;
    const now = truths.truths[index];
    let next = index + 1;
    while (next < truths.truths.length && truths.truths[next] === now) next += 1;
    return truths.fromMs + next * run.intervalMs;
  }

  #truths(
    trigger: RunTrigger,
    run: RunSpec,
    fill: (text: string) => string,
    { tickMs, ask }: { readonly tickMs: number; readonly ask: Ask },
  ): Ahead {
    const filled = fillMeasure(trigger.measure, fill);
    const key = `${trigger.condition.text} ${JSON.stringify(filled)}`;
    const known = this.#ahead.get(key);
    if (known !== undefined && known.fromMs <= tickMs && tickMs < known.toMs) return known;
    const window = {
      startMs: tickMs,
      endMs: tickMs + AHEAD * run.intervalMs,
      stepMs: run.intervalMs,
    };
    const readings = readWindow(filled, window, ask);
    const truths =
      readings === undefined || 'type' in readings
        ? []
        : readings.map(({ reading }) => truthOf(reading, trigger));
    const made = { fromMs: tickMs, toMs: window.endMs, truths };
    this.#ahead.set(key, made);
    return made;
  }
}

/** Readings of one kind say the same of a trigger that is not told the figure. */
function truthOf(reading: Reading, trigger: RunTrigger): string {
  if (reading.type === 'value') return String(holds(trigger.condition, reading.value));
  return reading.type === 'error'
    ? `${reading.fault} ${reading.message}`
    : `${reading.type} ${reading.message}`;
}
