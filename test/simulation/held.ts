/** Since when each trigger has truly held, as far as somebody could know it: what the checkers measure the operator by. */
import { parseDuration } from '#api/duration.ts';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { FOUND_WITHIN_MS, isWorse, SEQUENTIAL } from './counters.ts';
import type { Trigger } from './features.ts';
import { loadAt } from './metrics.ts';
import { INTERVAL_MS } from './scenario.ts';
import { type TrafficLog, weightAt } from './traffic-log.ts';
import { isCanaryUnscraped, type Truth, within } from './truth.ts';

export interface TriggerTruth {
  readonly trigger: Trigger;
  /** Whether the condition is true at a moment; undefined: nobody can know. */
  readonly isBad: (atMs: number) => boolean | undefined;
  /** How long it must have been bad to count as held: its own `for`, or what a judge by counts surely needs. */
  readonly forMs: number;
  /** How long after it has become bad everybody must know, apart from the looks themselves. */
  readonly knownAfterMs: number;
  /** How long after it has held its ladder lowers canary to 0, whatever else is so; undefined: not surely. */
  readonly rollbackAfterMs: number | undefined;
  /** Whether its ladder holds at once, and nothing takes that back. */
  readonly holdsAtOnce: boolean;
}

export interface Memory {
  /** Whether the newest result of the suite that the process knows, or the next will, is bad. */
  readonly isSuiteBad: () => boolean;
  /** Why nothing may rise, by what is known of the metric chain. */
  readonly chainObstacle: () => string | undefined;
}

/** @param memory what is known to the process alone */
export function truthsOf(
  spec: RolloutSpecInput,
  truth: Truth,
  log: TrafficLog,
  memory: Memory,
): readonly TriggerTruth[] {
  return (spec.triggers ?? []).map((trigger): TriggerTruth => {
    const ladder = trigger.onFiring ?? defaultLadder(trigger);
    const shared = trigger.compareWithStable?.holdFor;
    const rollbacks = ladder
      .filter(({ action, when }) => action === 'Rollback' && when === undefined)
      .map(({ after }) => parseDuration(after ?? '0s'));
    const hold = ladder.find(
      ({ action, after, when }) => action === 'Hold' && (after ?? when) === undefined,
    );
    const forMs = parseDuration(trigger.for ?? '0s');
    const isByCounts = trigger.name === SEQUENTIAL;
    return {
      trigger,
      isBad: isBadOf(trigger, truth, log, memory),
      forMs: isByCounts ? FOUND_WITHIN_MS : forMs,
      knownAfterMs: isByCounts ? FOUND_WITHIN_MS : trigger.severity === 'Critical' ? 0 : forMs,
      rollbackAfterMs:
        rollbacks.length === 0
          ? undefined
          : Math.min(...rollbacks) + (shared === undefined ? 0 : parseDuration(shared)),
      holdsAtOnce: hold !== undefined && !ladder.some(({ action }) => action === 'Continue'),
    };
  });
}

function defaultLadder({ severity }: Trigger): NonNullable<Trigger['onFiring']> {
  if (severity === 'Critical') return [{ action: 'Rollback' }];
  return severity === 'Warning'
    ? [{ action: 'Hold' }, { action: 'Notify' }]
    : [{ action: 'Notify' }];
}

function isBadOf(
  trigger: Trigger,
  truth: Truth,
  log: TrafficLog,
  memory: Memory,
): TriggerTruth['isBad'] {
  const isScraped = (atMs: number) => !within(truth.unscraped, atMs);
  const isCanaryScraped = (atMs: number) => !isCanaryUnscraped(truth, atMs);
  switch (trigger.name) {
    case 'errors':
      return (atMs) =>
        isCanaryScraped(atMs) && weightAt(log, atMs) > 0 ? within(truth.breaches, atMs) : undefined;
    case 'load':
      return (atMs) => (isScraped(atMs) ? loadAt(truth, atMs) > 10 : undefined);
    case 'load-seen':
      return (atMs) => (isScraped(atMs) ? loadAt(truth, atMs) > 5 : undefined);
    case 'alerts':
      return (atMs) => within(truth.alerts, atMs);
    case 'probe':
      return (atMs) => within(truth.probeDown, atMs);
    case SEQUENTIAL:
      return (atMs) => (isCanaryScraped(atMs) ? isWorse(truth, log, atMs) : undefined);
    case 'pass-rate':
      return () => memory.isSuiteBad();
    default:
      throw new Error(`what is true of ${trigger.name} is not known`);
  }
}

/**
 * Whether it was surely false for a second in the hold that is said to have ended at `firingAtMs`: then it never held.
 * Readings stand on a grid, so the ends of the hold say nothing. What only a process had seen is not judged.
 */
export function falseInHold({ trigger, isBad, forMs }: TriggerTruth, firingAtMs: number): boolean {
  // Evidence by counts outlasts what it was evidence of.
  if (['pass-rate', 'probe', SEQUENTIAL].includes(trigger.name)) return false;
  for (let atMs = firingAtMs - forMs; atMs <= firingAtMs; atMs += INTERVAL_MS) {
    const isOfGrid = [-1_000, 0, 1_000].every((offMs) => isBad(atMs + offMs) === false);
    if (atMs % INTERVAL_MS === 0 && isOfGrid) return true;
  }
  return false;
}

/** Counts the seconds, one after the other. */
export class HeldSince {
  readonly #truths: readonly TriggerTruth[];
  readonly #sinceMs = new Map<string, number>();
  /** The longest that each has held since the run began, or since its window did. */
  readonly #longestMs = new Map<string, number>();
  #windowMs = 0;

  constructor(truths: readonly TriggerTruth[]) {
    this.#truths = truths;
  }

  /** @param memory whether what only a process had seen is still there, and what was kept for the next one */
  second(
    nowMs: number,
    isRunning: boolean,
    { isRemembered, isKept }: { readonly isRemembered: boolean; readonly isKept: boolean },
  ): void {
    for (const { trigger, isBad } of this.#truths) {
      const { name } = trigger;
      const isKnown = name === 'probe' ? isRemembered : name === 'pass-rate' ? isKept : true;
      const holds = isRunning && isBad(nowMs) === true && isKnown;
      if (!holds) this.#sinceMs.delete(name);
      else if (!this.#sinceMs.has(name)) this.#sinceMs.set(name, nowMs);
      const heldMs = nowMs - Math.max(this.#windowMs, this.#sinceMs.get(name) ?? nowMs);
      this.#longestMs.set(name, Math.max(heldMs, this.#longestMs.get(name) ?? 0));
    }
  }

  /** Nothing of the triggers of an earlier run counts in a new one: what holds has held since now. */
  begin(nowMs: number): void {
    for (const name of this.#sinceMs.keys()) this.#sinceMs.set(name, nowMs);
  }

  /** A new window begins. */
  forget(nowMs: number): void {
    this.#windowMs = nowMs;
    this.#longestMs.clear();
  }

  longestMs(name: string): number {
    return this.#longestMs.get(name) ?? 0;
  }

  /** Since when, on the grid on which readings stand; undefined: it does not hold. */
  of({ trigger }: TriggerTruth): number | undefined {
    const sinceMs = this.#sinceMs.get(trigger.name);
    return sinceMs === undefined ? undefined : Math.ceil(sinceMs / INTERVAL_MS) * INTERVAL_MS;
  }

  get truths(): readonly TriggerTruth[] {
    return this.#truths;
  }
}
