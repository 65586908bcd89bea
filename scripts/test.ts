/**
 * `npm test`: every test of this repository. `npm run test:unit` and `npm run test:cluster` run a part of them; words
 * after `--` choose files whose path contains one of them: `npm run test:unit -- trigger schedule`.
 *
 *   unit     beside the sources and under test/: a process a core, about a minute
 *   cluster  test/cluster/: against a real API server, which is built first if it is not in the cache
 *
 * `npm run test:e2e` is apart, since only root may run it:
 *
 *   e2e      test/e2e/: images, containers and a whole node
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { e2eRefusal, e2eStages, prepareE2e } from './testing/e2e.ts';
import { runShares } from './testing/shares.ts';
import { runStage, type Stage, type StageResult } from './testing/stage.ts';
import { summaryText } from './testing/summary.ts';

const NODE_MAJOR_MIN = 24;
/** More processes than this gain little: each loads what its files need. */
const UNIT_SHARES_MAX = 4;
/** An API server with its etcd takes half a gigabyte. */
const CLUSTER_FILES_MAX = 8;
const parts = ['unit', 'cluster', 'e2e'];
const root = join(import.meta.dirname, '..');

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  process.chdir(root);
  if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
    console.error(
      `test: this is Node ${process.versions.node}; ${NODE_MAJOR_MIN} or newer is needed. \`npm ci\` installs one for Linux, and \`npm test\` uses it`,
    );
    return 2;
  }
  const [first = '', ...rest] = args;
  const isPart = parts.includes(first);
  const refusal = first === 'e2e' ? e2eRefusal() : undefined;
  if (refusal !== undefined) {
    console.error(`test: ${refusal}`);
    return 1;
  }
  const words = isPart ? rest : args;
  const stages = (
    first === 'e2e'
      ? e2eStages((pattern) => filesOf([pattern], words))
      : [unitStage(words), clusterStage(words)]
  ).filter(
    ({ name, files }) =>
      (!isPart || name.startsWith(first)) && (words.length === 0 || files.length > 0),
  );
  const startedAt = performance.now();
  const results: StageResult[] = [];
  if (first === 'e2e' && stages.length > 0) {
    const problem = (await build()) ?? (await prepareE2e());
    if (problem !== undefined) {
      console.error(`test: ${problem}`);
      return 1;
    }
  }
  for (const stage of stages) {
    console.log(`\n${stage.name}: ${stage.files.length} files`);
    results.push(...(await carryOut(stage)));
  }
  if (results.length === 0) {
    console.error(`test: no test file's path contains ${words.join(' or ')}`);
    return 1;
  }
  process.stdout.write(summaryText(results, performance.now() - startedAt));
  const isGood = results.every(({ success, problem }) => success && problem === undefined);
  return isGood ? 0 : 1;
}

async function carryOut(stage: Stage): Promise<readonly StageResult[]> {
  switch (stage.name) {
    case 'cluster':
      return [await buildAndRun(stage)];
    case 'unit':
      return await runShares(stage, Math.min(availableParallelism(), UNIT_SHARES_MAX));
    default:
      return [await runStage(stage)];
  }
}

function unitStage(words: readonly string[]): Stage {
  const files = filesOf(['src/**/*.test.ts', 'scripts/**/*.test.ts', 'test/**/*.test.ts'], words);
  return {
    name: 'unit',
    files: files.filter((file) => !/^test\/(cluster|e2e)\//.test(file)),
    isolation: 'none',
    filesAtOnce: 1,
    testMaxMs: 120_000,
    // Tests of the engine never wait, so nothing is printed between them: minutes of silence on a busy machine.
    silenceMaxMs: 900_000,
  };
}

function clusterStage(words: readonly string[]): Stage {
  return {
    name: 'cluster',
    files: filesOf(['test/cluster/*.test.ts'], words),
    isolation: 'process',
    // Each starts an API server of its own, which takes a core while it starts; with a file a core a third is waiting.
    filesAtOnce: Math.min(availableParallelism() + 1, CLUSTER_FILES_MAX),
    testMaxMs: 180_000,
  };
}

function filesOf(patterns: readonly string[], words: readonly string[]): readonly string[] {
  const files = [...new Set(patterns.flatMap((pattern) => globSync(pattern)))].toSorted();
  return words.length === 0
    ? files
    : files.filter((file) => words.some((word) => file.includes(word)));
}

async function buildAndRun(stage: Stage): Promise<StageResult> {
  const { name } = stage;
  const problem = await build();
  if (problem === undefined) return await runStage(stage);
  return { name, totals: undefined, success: false, problem: `${name}: ${problem}` };
}

/** What is built once must not count against the time of whichever test needs it first. */
async function build(): Promise<string | undefined> {
  if ((await node('scripts/testbed/main.ts', 'build')) !== 0) {
    return 'the testbed could not be built; see above';
  }
  if ((await node('scripts/build.ts')) !== 0) {
    return 'the controller could not be built; see above';
  }
  return undefined;
}

async function node(...args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}
