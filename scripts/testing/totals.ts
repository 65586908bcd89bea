/** A reporter for node's test runner that keeps only what the sum over several runs needs, as one JSON object. */
import { resolve } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

export interface Totals {
  readonly counts: {
    readonly tests: number;
    readonly suites: number;
    readonly passed: number;
    readonly failed: number;
    readonly cancelled: number;
    readonly skipped: number;
    readonly todo: number;
  };
  readonly success: boolean;
  readonly durationMs: number;
  /** Name and reason of every test that was skipped. */
  readonly skipped: readonly string[];
  /** Files in which there is no test: the runner counts each as one that passed. */
  readonly emptyFiles: readonly string[];
}

export default async function* totals(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const skipped: string[] = [];
  const emptyFiles: string[] = [];
  for await (const event of events) {
    if (event.type === 'test:pass' && event.data.skip !== undefined) {
      const why = typeof event.data.skip === 'string' ? `: ${event.data.skip}` : '';
      skipped.push(`${event.data.file ?? ''} ${event.data.name}${why}`.trim());
    }
    if (event.type === 'test:pass' && isFile(event.data)) emptyFiles.push(event.data.name);
    // With a file it is the summary of that file alone.
    if (event.type !== 'test:summary' || event.data.file !== undefined) continue;
    const { counts, success, duration_ms: durationMs } = event.data;
    const failed = failedOf(counts);
    const found: Totals = {
      counts: { ...counts, failed },
      success,
      durationMs,
      skipped,
      emptyFiles,
    };
    yield JSON.stringify(found);
  }
}

/** The runner counts them, but its types do not say so. */
function failedOf(counts: object): number {
  const failed: unknown = Reflect.get(counts, 'failed');
  if (typeof failed !== 'number') throw new Error('the test runner has counted no failures');
  return failed;
}

/** A file as a whole stands among the tests only when it has none, or could not be run. */
function isFile({ name, file }: { readonly name: string; readonly file?: string }): boolean {
  return file !== undefined && resolve(name) === file;
}
