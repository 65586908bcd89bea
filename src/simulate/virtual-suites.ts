/** Health suites in virtual time: what a run will bring is known as it starts, and is told once its time has passed. */
import type { Action } from '#core/decision.ts';
import type { SuiteRun, SuiteState } from '#core/suite-state.ts';

/** How one run goes. */
export interface VirtualSuiteRun {
  readonly tookMs: number;
  readonly outcome: SuiteRun['outcome'];
}

type RunSuite = Extract<Action, { readonly type: 'RunSuite' }>;

export class VirtualSuites {
  readonly #runs = new Map<string, SuiteRun[]>();

  /** @returns false when it runs already, or has run since it was due */
  start({ suite, dueAtMs }: RunSuite, nowMs: number, run: VirtualSuiteRun): boolean {
    const runs = this.#runs.get(suite.name) ?? [];
    if (runs.some((one) => one.finishedAtMs > nowMs || one.startedAtMs >= dueAtMs)) return false;
    const tookMs = Math.min(run.tookMs, suite.timeoutMs);
    const isLate = run.tookMs > suite.timeoutMs;
    const outcome = isLate
      ? { type: 'failed' as const, message: 'no result in time' }
      : run.outcome;
    this.#runs.set(suite.name, [
      ...runs,
      { startedAtMs: nowMs, finishedAtMs: nowMs + tookMs, outcome },
    ]);
    return true;
  }

  states(names: readonly string[], nowMs: number): ReadonlyMap<string, SuiteState> {
    return new Map(
      names.map((name) => {
        const all = this.#runs.get(name) ?? [];
        const runs = all.filter((run) => run.finishedAtMs <= nowMs);
        const running = all.find((run) => run.finishedAtMs > nowMs);
        return [
          name,
          { runs, ...(running === undefined ? {} : { runningSinceMs: running.startedAtMs }) },
        ] as const;
      }),
    );
  }

  /** When the next run under way ends: whoever runs it tells the engine then. */
  nextEndAfter(nowMs: number): number | undefined {
    const ends = [...this.#runs.values()].flat().map((run) => run.finishedAtMs);
    const coming = ends.filter((endMs) => endMs > nowMs);
    return coming.length === 0 ? undefined : Math.min(...coming);
  }

  get count(): number {
    return [...this.#runs.values()].reduce((sum, runs) => sum + runs.length, 0);
  }

  /** A new process knows nothing of what an old one has run. */
  forget(): void {
    this.#runs.clear();
  }
}
