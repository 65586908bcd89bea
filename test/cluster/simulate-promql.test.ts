/**
 * The PromQL of `simulate` against a real Prometheus that has the same samples: a table of everything that is carried out, and
 * expressions drawn at random from a seed. Equal means equal labels, and values that differ by rounding at most.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { Series } from '#core/answer.ts';
import { type Prometheus, startPrometheus } from '#scripts/testbed/index.ts';
import { scenarioPromql } from '#simulate/promql/scenario-promql.ts';
import { parseSamples } from '#simulate/series-notation.ts';
import { randomExpressions, series, table } from '#test/simulate/promql-cases.ts';

const run = promisify(execFile);

const INTERVAL_MS = 30_000;
/** Blocks are made of the past; on no full minute, so that alignment is seen. */
const BEGIN_MS = Math.floor((Date.now() - 6 * 3_600_000) / 60_000) * 60_000 + 7_000;
const START_MS = BEGIN_MS + 300_000;
const STEP_MS = 45_000;
const COUNT = 120;

const made = scenarioPromql(
  series.map(([text, values]) => ({ series: text, values })),
  {
    beginMs: BEGIN_MS,
    intervalMs: INTERVAL_MS,
    stepMs: STEP_MS,
    endMs: START_MS + COUNT * STEP_MS,
  },
);
assert.ok(made.type === 'ok');
const { promql } = made;

let prometheus: Prometheus;

before(async () => {
  prometheus = await startPrometheus();
  await prometheus.stopServer();
  const file = join(prometheus.runFolder, 'history.om');
  await writeFile(file, openMetrics());
  const data = join(prometheus.runFolder, 'prometheus-data');
  await run(prometheus.promtool, ['tsdb', 'create-blocks-from', 'openmetrics', file, data]);
  await prometheus.startServer();
});
after(() => prometheus.stop());

/** OpenMetrics wants each metric's samples together. */
function openMetrics(): string {
  const byMetric = new Map<string, string[]>();
  for (const [text, values] of series) {
    const parsed = parseSamples(values);
    assert.ok(parsed.type === 'ok');
    const { kinds, values: numbers } = parsed.samples;
    const metric = text.replace(/[{].*/, '');
    const lines = byMetric.get(metric) ?? [];
    for (const [index, kind] of kinds.entries()) {
      if (kind === 1)
        lines.push(
          `${text} ${goNumber(numbers[index] ?? 0)} ${(BEGIN_MS + index * INTERVAL_MS) / 1000}`,
        );
    }
    byMetric.set(metric, lines);
  }
  const parts = [...byMetric].map(
    ([metric, lines]) => `# TYPE ${metric} unknown\n${lines.join('\n')}`,
  );
  return `${parts.join('\n')}\n# EOF\n`;
}

function goNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}

type Found = ReadonlyMap<string, ReadonlyMap<number, number>>;

async function theirs(query: string): Promise<Found | { readonly error: string }> {
  const response = await fetch(`${prometheus.url}/api/v1/query_range`, {
    method: 'POST',
    body: new URLSearchParams({
      query,
      start: String(START_MS / 1000),
      end: String((START_MS + (COUNT - 1) * STEP_MS) / 1000),
      step: String(STEP_MS / 1000),
    }),
    signal: AbortSignal.timeout(10_000),
  });
  const body = (await response.json()) as {
    error?: string;
    data?: { result: { metric: Record<string, string>; values: [number, string][] }[] };
  };
  if (body.data === undefined) return { error: body.error ?? 'no answer' };
  return new Map(
    body.data.result.map(({ metric, values }) => [
      key(metric),
      new Map(values.map(([at, value]) => [Math.round(at * 1000), parse(value)])),
    ]),
  );
}

function parse(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

function ours(query: string): Found | { readonly error: string } {
  let answer: readonly Series[];
  try {
    answer = promql.range(query, START_MS, START_MS + (COUNT - 1) * STEP_MS, STEP_MS);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
  return new Map(
    answer.map(({ labels, points }) => [
      key(labels),
      new Map(points.map(({ atMs, value }) => [atMs, value])),
    ]),
  );
}

function key(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** @returns what differs first */
function difference(a: Found, b: Found): string | undefined {
  const names = (found: Found) => [...found.keys()].toSorted().join(' ');
  if (names(a) !== names(b)) return `series ${names(a)} and theirs ${names(b)}`;
  for (const [name, points] of a) {
    const others = b.get(name) ?? new Map<number, number>();
    for (const atMs of new Set([...points.keys(), ...others.keys()])) {
      const [x, y] = [points.get(atMs), others.get(atMs)];
      const isSame = x !== undefined && y !== undefined && isAlike(x, y);
      if (!isSame) return `${name} at ${(atMs - BEGIN_MS) / 1000}s: ${x}, theirs ${y}`;
    }
  }
  return undefined;
}

function isAlike(x: number, y: number): boolean {
  if (Object.is(x, y) || x === y) return true;
  return Math.abs(x - y) <= 1e-9 * Math.max(Math.abs(x), Math.abs(y), 1e-3);
}

async function compare(query: string): Promise<'values' | 'nothing' | 'refused'> {
  const [a, b] = [ours(query), await theirs(query)];
  if ('error' in a || 'error' in b) {
    assert.ok('error' in a && 'error' in b, `${query}: ours ${text(a)}, theirs ${text(b)}`);
    return 'refused';
  }
  assert.equal(difference(a, b), undefined, query);
  return a.size === 0 ? 'nothing' : 'values';
}

function text(found: Found | { readonly error: string }): string {
  return 'error' in found ? found.error : `${found.size} series`;
}

describe('each of the table has the values of the real Prometheus', () => {
  for (const query of table) {
    test(query, async () => {
      assert.equal(await compare(query), 'values');
    });
  }
});

test('a range as long as the distance of samples never has two of them, since its left end is open', async () => {
  assert.equal(await compare('rate(requests_total[30s])'), 'nothing');
});

test('2,000 random expressions have the values of the real Prometheus', async () => {
  const outcomes = { values: 0, nothing: 0, refused: 0 };
  for (const query of randomExpressions(2_000, 20_261_122)) outcomes[await compare(query)] += 1;
  assert.ok(outcomes.values > 1_000, JSON.stringify(outcomes));
});
