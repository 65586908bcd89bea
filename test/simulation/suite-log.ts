/** What the runs of the health suite have brought in a simulated world, by the process that knows of them. */
import type { EvidenceLine } from '#core/record.ts';
import type { SuiteOutcome } from '#ports/suite-runner.ts';
import { SUITE_INTERVAL_MS, SUITE_TIMEOUT_MS } from './features.ts';
import type { Process } from './process.ts';

interface SeenRun {
  readonly process: Process;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly outcome: SuiteOutcome;
}

export class SuiteLog {
  readonly #runs: SeenRun[] = [];
  /** When each was kept, by its start. */
  readonly #keptAt = new Map<number, number>();

  add(
    process: Process,
    startedAtMs: number,
    { tookMs, outcome }: { readonly tookMs: number; readonly outcome: SuiteOutcome },
  ): void {
    // What takes too long brings nothing.
    if (tookMs > SUITE_TIMEOUT_MS) return;
    this.#runs.push({ process, startedAtMs, finishedAtMs: startedAtMs + tookMs, outcome });
  }

  /** The store has these now, and every process that is born after this will. */
  kept(lines: readonly EvidenceLine[], nowMs: number): void {
    for (const line of lines) {
      if (line.type === 'suite') this.#keptAt.set(Date.parse(line.startedAt), nowMs);
    }
  }

  /** Whether the only process there is, or the next where there is none, has a valid result that is below 80 %. */
  isBad([process, second]: readonly Process[], nowMs: number): boolean {
    if (second !== undefined) return false;
    const isKnown = (run: SeenRun) => {
      const keptAtMs = this.#keptAt.get(run.startedAtMs) ?? Number.POSITIVE_INFINITY;
      return run.process === process || keptAtMs < (process?.bornMs ?? nowMs);
    };
    const newest = this.#runs
      .filter((run) => run.finishedAtMs <= nowMs && run.outcome.type === 'done' && isKnown(run))
      .toSorted((a, b) => a.finishedAtMs - b.finishedAtMs)
      .at(-1);
    return isBadNow(newest, nowMs);
  }
}

function isBadNow(newest: SeenRun | undefined, nowMs: number): boolean {
  if (newest?.outcome.type !== 'done') return false;
  const { total, passed } = newest.outcome;
  const isValid = nowMs <= newest.startedAtMs + SUITE_INTERVAL_MS + SUITE_TIMEOUT_MS;
  return isValid && passed / total < 0.8;
}
