/**
 * What a suite answers, as counts: JSON with totals, a list of tests, or JUnit XML. Counts that contradict each
 * other are no result: a suite that cannot count must not decide about traffic.
 */
import { z } from 'zod';
import type { SuiteOutcome } from '#ports/suite-runner.ts';
import { flakyMatcher } from './flaky.ts';
import { readJunit } from './junit.ts';
import { excerpt, invalid, type ReportResult } from './suite-counts.ts';

/** Names that are kept of one run, and how much of each. */
const NAMES_MAX = 50;
const NAME_LENGTH_MAX = 256;

const count = z.int().min(0).max(10_000_000);
const name = z.string().max(4096);
const named = z.union([
  name,
  z.looseObject({ name: name.optional(), test: name.optional(), id: name.optional() }),
]);
const states = {
  passed: ['passed', 'pass', 'ok', 'success', 'succeeded'],
  failed: ['failed', 'fail', 'failure', 'error', 'errored', 'broken'],
  skipped: ['skipped', 'skip', 'pending', 'ignored', 'disabled', 'todo'],
} as const;
const jsonSchema = z.looseObject({
  total: count.optional(),
  passed: count.optional(),
  failed: count.optional(),
  skipped: count.optional(),
  failures: z.array(named).max(100_000).optional(),
  tests: z
    .array(
      z.looseObject({
        name,
        status: z.string().optional(),
        outcome: z.string().optional(),
      }),
    )
    .max(100_000)
    .optional(),
});

/** @param knownFlaky the suite's patterns */
export function readOutcome(text: string, knownFlaky: readonly string[]): SuiteOutcome {
  const result = readReport(text);
  if (result.type === 'invalid') return { type: 'failed', message: result.message };
  const { report } = result;
  const isFlaky = flakyMatcher(knownFlaky);
  const flaky = report.failures.filter((names) => names.some(isFlaky)).length;
  // A known flaky one goes by the name that its pattern is written for.
  const failures = report.failures
    .slice(0, NAMES_MAX)
    .map((names) => (names.find(isFlaky) ?? names.at(-1) ?? '').slice(0, NAME_LENGTH_MAX));
  const { total, passed, failed, skipped } = report;
  const counts = { total, passed, failed, skipped };
  // A failure without a name cannot be known to be flaky.
  return { type: 'done', ...counts, knownFlaky: flaky, newFailures: failed - flaky, failures };
}

export function readReport(text: string): ReportResult {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed === '') return invalid('the answer is empty');
  if (trimmed.startsWith('<')) return checked(readJunit(trimmed));
  let json: unknown;
  try {
    json = JSON.parse(trimmed);
  } catch {
    return invalid(`the answer is neither JSON nor JUnit XML: ${excerpt(trimmed)}`);
  }
  const parsed = jsonSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
    return invalid(`the answer's JSON is no result: ${where}${issue?.message ?? ''}`);
  }
  return checked(fromJson(parsed.data));
}

function fromJson(json: z.output<typeof jsonSchema>): ReportResult {
  const { tests, failures } = json;
  if (tests !== undefined && tests.length > 0) {
    const told = tests.map((test) => ({ test, state: stateOf(test.status ?? test.outcome ?? '') }));
    const unknown = told.find(({ state }) => state === undefined);
    if (unknown !== undefined) {
      const { test } = unknown;
      const value = JSON.stringify(test.status ?? test.outcome ?? '');
      return invalid(
        `test ${JSON.stringify(test.name)} has status ${value}; known are ${Object.values(states).flat().join(', ')}`,
      );
    }
    const of = (state: keyof typeof states) => told.filter((one) => one.state === state);
    const counted = { passed: of('passed').length, failed: of('failed').length };
    const counts = { total: tests.length, ...counted, skipped: of('skipped').length };
    for (const field of ['total', 'passed', 'failed', 'skipped'] as const) {
      const said = json[field];
      if (said !== undefined && said !== counts[field]) {
        return invalid(`${field} is ${said}, but of the tests listed it is ${counts[field]}`);
      }
    }
    const names = of('failed').map(({ test }) => [test.name]);
    return { type: 'ok', report: { ...counts, failures: names } };
  }
  const names = (failures ?? []).map((one) =>
    typeof one === 'string' ? [one] : [one.name ?? one.test ?? one.id ?? ''],
  );
  const { passed, failed = names.length, skipped = 0 } = json;
  const { total = passed === undefined ? undefined : passed + failed + skipped } = json;
  if (total === undefined) {
    return invalid(
      "the answer's JSON is no result: it has neither total nor passed, nor a list of tests",
    );
  }
  const counts = { total, passed: passed ?? total - failed - skipped, failed, skipped };
  return { type: 'ok', report: { ...counts, failures: names } };
}

/** The rules that every result keeps. */
function checked(result: ReportResult): ReportResult {
  if (result.type === 'invalid') return result;
  const { total, passed, failed, skipped, failures } = result.report;
  if (passed < 0 || passed + failed + skipped !== total) {
    return invalid(
      `total is ${total}, but passed ${passed} + failed ${failed} + skipped ${skipped} is ${passed + failed + skipped}`,
    );
  }
  if (failures.length > failed) {
    return invalid(`failed is ${failed}, but ${failures.length} failures are listed`);
  }
  if (total === 0) return invalid('total is 0: no test was found');
  return result;
}

function stateOf(status: string): keyof typeof states | undefined {
  const word = status.toLowerCase();
  return (['passed', 'failed', 'skipped'] as const).find((state) =>
    states[state].some((known) => known === word),
  );
}
