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
import { buildImages } from './images/images.ts';
import { prepareGateway } from './testbed/gateway.ts';
import { namespaceLaunch } from './testbed/namespace.ts';
import { prepareNode } from './testbed/node/node.ts';
import { ensurePackages } from './testbed/packages.ts';
import { runShares } from './testing/shares.ts';
import { runStage, type Stage, type StageResult } from './testing/stage.ts';
import { summaryText } from './testing/summary.ts';

const NODE_MAJOR_MIN = 24;
/** More processes than this gain little: each loads what its files need. */
const UNIT_SHARES_MAX = 4;
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
  if (first === 'e2e' && process.getuid?.() !== 0) {
    console.error(
      'test: the end-to-end tests run containers and a kubelet, for which they must be run as root',
    );
    return 1;
  }
  const words = isPart ? rest : args;
  const stages = (
    first === 'e2e' ? e2eStages(words) : [unitStage(words), clusterStage(words)]
  ).filter(
    ({ name, files }) =>
      (!isPart || name.startsWith(first)) && (words.length === 0 || files.length > 0),
  );
  const startedAt = performance.now();
  const results: StageResult[] = [];
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
      return [await withCluster(stage)];
    case 'e2e-outside':
    case 'e2e':
      return [await withImages(stage)];
    default:
      return await runShares(stage, Math.min(availableParallelism(), UNIT_SHARES_MAX));
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
    // Each starts an API server of its own, which takes a core while it starts.
    filesAtOnce: 2,
    testMaxMs: 180_000,
  };
}

/** The second one takes place in a node's namespace; the first looks at one from outside. */
function e2eStages(words: readonly string[]): readonly Stage[] {
  const common = { isolation: 'process', filesAtOnce: 1, testMaxMs: 600_000 } as const;
  return [
    { ...common, name: 'e2e-outside', files: filesOf(['test/e2e/outside/*.test.ts'], words) },
    {
      ...common,
      name: 'e2e',
      files: filesOf(['test/e2e/*.test.ts'], words),
      launch: namespaceLaunch({ node: true }),
    },
  ];
}

function filesOf(patterns: readonly string[], words: readonly string[]): readonly string[] {
  const files = [...new Set(patterns.flatMap((pattern) => globSync(pattern)))].toSorted();
  return words.length === 0
    ? files
    : files.filter((file) => words.some((word) => file.includes(word)));
}

/** What is built once must not count against the time of whichever test needs it first. */
async function withCluster(stage: Stage): Promise<StageResult> {
  if ((await node('scripts/testbed/main.ts', 'build')) !== 0) {
    return failed(stage, 'the testbed could not be built; see above');
  }
  if ((await node('scripts/build.ts')) !== 0) {
    return failed(stage, 'the controller could not be built; see above');
  }
  return await runStage(stage);
}

async function withImages(stage: Stage): Promise<StageResult> {
  const say = (sentence: string): void => console.log(`test: ${sentence}`);
  try {
    await ensurePackages(['podman', 'buildah'], { say });
    await prepareNode({ say });
    await prepareGateway({ say });
    await buildImages({ say });
  } catch (error) {
    return failed(stage, error instanceof Error ? error.message : String(error));
  }
  return await withCluster(stage);
}

function failed(stage: Stage, problem: string): StageResult {
  return {
    name: stage.name,
    totals: undefined,
    success: false,
    problem: `${stage.name}: ${problem}`,
  };
}

async function node(...args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}
