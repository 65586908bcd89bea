import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runStage, type Stage } from './stage.ts';
import { summaryText } from './summary.ts';

const sources = {
  good: "test('passes', () => {}); test('left out', { skip: 'no gateway here' }, () => {});",
  bad: "describe('all', () => { test('fails', () => { throw new Error('no'); }); });",
  broken: "import './is-not-there.ts';",
  empty: '',
  slow: "test('hangs', () => new Promise(() => setTimeout(() => {}, 1_200)));",
  leaking: "test('passes', () => { setInterval(() => {}, 1_000); });",
  crashing: "test('passes', () => {}); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50);",
};

describe('a stage of the tests', () => {
  let folder = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'genesis-stage-'));
    for (const [name, source] of Object.entries(sources)) {
      const text = `import { describe, test } from 'node:test';\n${source}\nvoid [describe, test];\n`;
      await writeFile(join(folder, `${name}.test.ts`), text);
    }
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  async function run(names: readonly (keyof typeof sources)[], more: Partial<Stage> = {}) {
    const lines: string[] = [];
    const result = await runStage(
      {
        name: 'unit',
        files: names.map((name) => join(folder, `${name}.test.ts`)),
        isolation: 'none',
        filesAtOnce: 1,
        testMaxMs: 30_000,
        ...more,
      },
      (line) => lines.push(line),
    );
    return { ...result, lines };
  }

  for (const isolation of ['none', 'process'] as const) {
    test(`counts what passed and names what was left out (isolation ${isolation})`, async () => {
      const { success, problem, totals, lines } = await run(['good'], { isolation });
      assert.equal(problem, undefined);
      assert.ok(success);
      assert.equal(totals?.counts.passed, 1);
      assert.equal(totals.counts.skipped, 1);
      assert.match(totals.skipped[0] ?? '', /good\.test\.ts left out: no gateway here$/);
      assert.ok(lines.some((line) => line.startsWith('✔ passes')));
      assert.ok(!lines.some((line) => line.startsWith('ℹ pass')), 'one summary is printed later');
    });

    test(`fails when a test does, and goes on (isolation ${isolation})`, async () => {
      const { success, totals } = await run(['bad', 'good'], { isolation });
      assert.ok(!success);
      assert.equal(totals?.counts.failed, 1);
      assert.equal(totals.counts.passed, 1);
    });
  }

  test('fails when a file cannot be loaded', async () => {
    const { success } = await run(['broken', 'good']);
    assert.ok(!success);
  });

  for (const isolation of ['none', 'process'] as const) {
    test(`has a problem when a file has no test (isolation ${isolation})`, async () => {
      const { problem } = await run(['good', 'empty'], { isolation });
      assert.match(problem ?? '', /^unit: there is no test in .*empty\.test\.ts$/);
    });
  }

  test('has a problem when there is no file', async () => {
    const { problem, success } = await run([]);
    assert.ok(!success);
    assert.equal(problem, 'unit: there is no test file');
  });

  test('cancels a test that takes too long', async () => {
    const { totals, success } = await run(['slow', 'good'], {
      isolation: 'process',
      testMaxMs: 500,
      silenceMaxMs: 30_000,
    });
    assert.ok(!success);
    assert.equal(totals?.counts.cancelled, 1);
    assert.equal(totals.counts.passed, 1);
  });

  test('ends a process that something keeps alive, and says so', async () => {
    const { problem, success } = await run(['leaking'], { silenceMaxMs: 1_500 });
    assert.ok(!success);
    assert.match(problem ?? '', /^unit: nothing was reported for 1\.5 s, so the run was ended; /);
  });

  test('notices a runner that dies', async () => {
    const { problem, success } = await run(['crashing']);
    assert.ok(!success);
    assert.equal(problem, 'unit: the run was ended by SIGKILL');
  });
});

test('the summary adds stages up and ends as node’s own does', () => {
  const counts = { tests: 2, suites: 1, passed: 1, failed: 0, cancelled: 0, skipped: 1, todo: 0 };
  const totals = {
    counts,
    success: true,
    durationMs: 5,
    skipped: ['a.test.ts x: why'],
    emptyFiles: [],
  };
  const text = summaryText(
    [
      { name: 'unit', totals, success: true, problem: undefined },
      { name: 'cluster', totals, success: false, problem: 'cluster: no test ran' },
    ],
    1234.5678,
  );
  assert.equal(
    text,
    `
skipped: a.test.ts x: why
skipped: a.test.ts x: why
cluster: no test ran
failed: cluster
ℹ tests 4
ℹ suites 2
ℹ pass 2
ℹ fail 0
ℹ cancelled 0
ℹ skipped 2
ℹ todo 0
ℹ duration_ms 1234.568
`,
  );
});
