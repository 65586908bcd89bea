/** What is known of a health suite's runs: a part of the snapshot, kept by the shell and read by the core. */

export interface SuiteResult {
  readonly type: 'done';
  /** `passed + failed + skipped`. */
  readonly total: number;
  readonly passed: number;
  /** Known flaky failures are among them. */
  readonly failed: number;
  readonly skipped: number;
  /** Failures of tests whose names match one of the suite's `knownFlaky`. */
  readonly knownFlaky: number;
  /** Failures that match none. */
  readonly newFailures: number;
  /** Names of failed tests, as far as they were told. */
  readonly failures: readonly string[];
}

export interface SuiteRun {
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly outcome:
    | SuiteResult
    /** It could not be carried out: a timeout, a crash, an answer that makes no sense. */
    | { readonly type: 'failed'; readonly message: string };
}

export interface SuiteState {
  /** Ascending in `finishedAtMs`. */
  readonly runs: readonly SuiteRun[];
  readonly runningSinceMs?: number;
}
