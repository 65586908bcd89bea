/** What the runs of the health suite have brought in a simulated world, by the process that knows of them. */
import type { SuiteOutcome } from '#ports/suite-runner.ts';
import { SUITE_INTERVAL_MS, SUITE_TIMEOUT_MS } from './features.ts';

interface SeenRun {
  readonly process: object;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly outcome: SuiteOutcome;
}

export class SuiteLog {
  readonly #runs: SeenRun[] = [];

  add(
    process: object,
    startedAtMs: number,
    { tookMs, outcome }: { readonly tookMs: number; readonly outcome: SuiteOutcome },
  ): void {
    // What takes too long brings nothing.
    if (tookMs > SUITE_TIMEOUT_MS) return;
    this.#runs.push({ process, startedAtMs, finishedAtMs: startedAtMs + tookMs, outcome });
  }

  /** Whether the only process there is has a valid result that is below 80 %. */
  isBad(processes: readonly object[], nowMs: number): boolean {
    const newest = this.#runs.findLast(
      ({ process, finishedAtMs, outcome }) =>
        process === processes[0] && finishedAtMs <= nowMs && outcome.type === 'done',
    );
    if (processes.length !== 1 || newest?.outcome.type !== 'done') return false;
    const { total, passed } = newest.outcome;
    const isValid = nowMs <= newest.startedAtMs + SUITE_INTERVAL_MS + SUITE_TIMEOUT_MS;
    return isValid && passed / total < 0.8;
  }
}
