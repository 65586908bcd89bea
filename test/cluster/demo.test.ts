/** The demo itself, with its shortest plan: as a newcomer runs it, and on a cluster that somebody else runs. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import type { RunSummary } from '#scripts/demo/summary.ts';
import { childrenOf, connectTo } from '#scripts/testbed/index.ts';
import { living, pollUntil } from './testbed-polling.ts';

const buildsColdWithinMs = 40 * 60_000;
const root = join(import.meta.dirname, '../..');

interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  text(): string;
}

function start(script: string, ...flags: readonly string[]): Program {
  const child = spawn(process.execPath, [join(root, script), ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const parts: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (part: string) => parts.push(part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => parts.push(part));
  const ended = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
  return { child, ended, text: () => parts.join('') };
}

/** The program, and everything it has started so far. */
async function family(pid: number): Promise<readonly number[]> {
  const children = await childrenOf(pid);
  return [pid, ...(await Promise.all(children.map(family))).flat()];
}

async function until(program: Program, sign: RegExp, withinMs: number): Promise<void> {
  const isOver = () => program.child.exitCode !== null || program.child.signalCode !== null;
  await pollUntil(async () => sign.test(program.text()) || isOver(), Boolean, withinMs);
  assert.match(program.text(), sign);
}

describe('a version that begins to fail, on this machine, kept running', {
  timeout: buildsColdWithinMs,
}, () => {
  let program: Program;
  let pids: readonly number[];
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'genesis-demo-test-'));
    const flags = ['--short', '--only', '2', '--keep', '--json', join(folder, 'summary.json')];
    program = start('scripts/demo/main.ts', ...flags);
    await until(program, /Ctrl-C stops it[^]*logs of the controller/, buildsColdWithinMs);
    pids = await family(program.child.pid ?? 0);
  });
  after(async () => {
    program.child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  test('is rolled back, and every promise is kept', async () => {
    assert.doesNotMatch(program.text(), /FAIL/);
    const text = await readFile(join(folder, 'summary.json'), 'utf8');
    const { passed, runs } = JSON.parse(text) as { passed: boolean; runs: readonly RunSummary[] };
    assert.equal(passed, true, program.text());
    const [run, ...others] = runs;
    assert.ok(run !== undefined && others.length === 0);
    assert.deepEqual(
      [run.run, run.outcome, run.rollback?.trigger],
      [2, 'RolledBack', 'error-rate'],
    );
    assert.deepEqual(
      run.steps.map(({ asked, requests }) => [asked, requests >= 1_000]),
      [
        [0, true],
        [50, true],
        [0, true],
      ],
    );
    const times = [
      run.rollback?.faultToFiringMs,
      run.rollback?.firingToWeightZeroMs,
      run.rollback?.firingToLastCanaryResponseMs,
    ];
    assert.ok(
      times.every((ms) => typeof ms === 'number'),
      JSON.stringify(times),
    );
  });

  test('without a terminal there are lines for every change and no colour', () => {
    assert.match(program.text(), /^0:\d\d {2}route gives canary 50%$/m);
    assert.match(
      program.text(),
      /^0:\d\d {2}trigger error-rate is Pending at .*%.*fires in \d\.\d s$/m,
    );
    assert.match(program.text(), /^0:\d\d {2}phase RolledBack: rolled back in \S+: error-rate/m);
    assert.doesNotMatch(program.text(), new RegExp(String.fromCodePoint(27)));
  });

  test('can be looked at from outside its network namespace', async () => {
    const kubeconfig = /KUBECONFIG=(\S+)/.exec(program.text())?.[1] ?? '';
    const client = await connectTo(kubeconfig);
    const [rollout] = await client.list('genesis.dev/v1alpha1', 'GenesisRollout', 'shop');
    await client.close();
    const { phase } = (rollout?.['status'] ?? {}) as { phase?: string };
    assert.equal(phase, 'RolledBack');
    const gateway = /curl -i -H 'Host: (\S+)' (\S+)/.exec(program.text());
    const prometheus = /(http:\S+) +Prometheus/.exec(program.text())?.[1] ?? '';
    assert.equal((await fetch(`${prometheus}/-/ready`)).status, 200);
    // Without its host name no route leads anywhere; Envoy itself answers.
    assert.equal((await fetch(gateway?.[2] ?? '')).status, 404);
  });

  test('ends on Ctrl-C, and leaves no process and no file', async () => {
    assert.ok(pids.length >= 9, `${pids.length} processes`);
    // The folder for temporary files is not /tmp on every machine.
    const escaped = join(tmpdir(), 'genesis-').replaceAll('.', String.raw`\.`);
    const folders = [...new Set(program.text().match(new RegExp(`${escaped}[^/\\s]+`, 'g')))];
    assert.ok(folders.length >= 2, program.text());
    program.child.kill('SIGINT');
    assert.equal(await program.ended, 0, program.text());
    assert.deepEqual(
      await pollUntil(
        async () => await living(pids),
        ({ length }) => length === 0,
        5_000,
      ),
      [],
    );
    for (const path of folders) await assert.rejects(access(path), { code: 'ENOENT' });
  });
});

test('a good version, on a cluster that somebody else runs, which is left as it was', {
  timeout: buildsColdWithinMs,
}, async () => {
  const program = start('test/cluster/demo-cluster.ts', '--short', '--only', '1');
  assert.equal(await program.ended, 0, program.text());
  assert.match(program.text(), /^PASS {2}run 1 ends Succeeded: Succeeded$/m);
  assert.match(
    program.text(),
    /^PASS {2}run 1: measured share .* asked 100% \(full\): 100\.0% of/m,
  );
  assert.doesNotMatch(program.text(), /FAIL/);
  assert.match(program.text(), /^left over: nothing$/m);
});

test('a demo that loses its controller says so, keeps the logs, and ends with 1', {
  timeout: buildsColdWithinMs,
}, async () => {
  const program = start('scripts/demo/main.ts', '--short', '--only', '1');
  await until(program, /phase Progressing/, buildsColdWithinMs);
  const pids = await family(program.child.pid ?? 0);
  const commands = await Promise.all(
    pids.map(async (pid) => ({ pid, text: await readFile(`/proc/${pid}/cmdline`, 'utf8') })),
  );
  const controller = commands.find(({ text }) => text.includes('dist/controller.mjs'));
  assert.ok(controller !== undefined, JSON.stringify(commands));
  process.kill(controller.pid, 'SIGKILL');
  assert.equal(await program.ended, 1);
  assert.match(program.text(), /^demo: controller has ended by itself in mid-run$/m);
  const logs = /logs of all parts are in (\S+)/.exec(program.text())?.[1] ?? '';
  for (const part of ['controller', 'kube-apiserver', 'contour', 'envoy', 'prometheus']) {
    await access(join(logs, `${part}.log`));
  }
  await rm(logs, { recursive: true });
  assert.deepEqual(await living(pids), []);
});

test('a mistake on the command line ends with 2 and a sentence, before anything starts', async () => {
  const program = start('scripts/demo/main.ts', '--only', '3');
  assert.equal(await program.ended, 2);
  assert.match(program.text(), /^demo: --only 3: there are two runs, 1 \(a good version\)/);
});
