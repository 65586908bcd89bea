/** The judge's count queries against Prometheus' own engine: what the fake counter of our tests says is what it says. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { countQuery } from '#promql/count.ts';
import { toolPath } from '#scripts/testbed/index.ts';
import { ScrapedCounter } from '#test/fakes/scraped-counter.ts';

const EVERY_MS = 15_000;

test('increase, and increase less what it made up, over young and old blocks', async () => {
  const counter = new ScrapedCounter({ everyMs: EVERY_MS, firstMs: 0 });
  const values: number[] = [];
  for (let scrape = 0; scrape < 400; scrape += 1) {
    const more = scrape === 0 ? 50 : (scrape * 7) % 5;
    counter.add(more);
    values.push((values.at(-1) ?? 0) + more);
  }
  const counting = countQuery('sum(rate(a[5m]))');
  assert.ok(counting.type === 'counted');
  const blocks: readonly (readonly [lengthMs: number, atMs: number])[] = [
    [30_000, 607_000],
    [60_000, 615_000],
    [93_500, 1_207_500],
    [3_600_000, 3_700_000],
    [930_000, 5_000_000],
  ];
  const expected = blocks.flatMap(([lengthMs, atMs]) => {
    const over = `${lengthMs}ms`;
    const seen = counter.counted(atMs - lengthMs, atMs);
    const increase = counter.increase(atMs - lengthMs, atMs);
    const truth =
      values[Math.floor(atMs / EVERY_MS)]! - values[Math.floor((atMs - lengthMs) / EVERY_MS)]!;
    assert.ok(seen !== undefined && seen <= truth, `${seen} were counted where ${truth} were`);
    return [
      { expr: counting.seen.join(over), value: seen, atMs },
      { expr: counting.increase.join(over), value: increase, atMs },
    ];
  });
  const rules = {
    // Without it promtool has samples up to the last full minute only.
    evaluation_interval: `${EVERY_MS}ms`,
    fuzzy_compare: true,
    tests: [
      {
        interval: `${EVERY_MS}ms`,
        input_series: [{ series: 'a', values: values.join(' ') }],
        promql_expr_test: expected.map(({ expr, value, atMs }) => ({
          expr,
          eval_time: `${atMs}ms`,
          exp_samples: [{ labels: '{}', value }],
        })),
      },
    ],
  };
  const folder = await mkdtemp(join(tmpdir(), 'judge-counts-'));
  try {
    const file = join(folder, 'counts.json');
    await writeFile(file, JSON.stringify(rules));
    const promtool = await toolPath('promtool');
    const { stdout } = await promisify(execFile)(promtool, ['test', 'rules', file]);
    assert.match(stdout, /SUCCESS/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
