/**
 * `npm run nightly`: what takes too long for every change. 10,000 seeded worlds, others each night, and every test
 * in a process of its own, where nothing can lean on what another has left behind.
 *
 *   npm run nightly -- --seeds 500 --first 1234 --only seeds --workers 1
 *   npm run nightly -- --seeds 1 --first 1234 --shrink
 *   npm run nightly -- --seeds 500 --feature flag       of these only the worlds that have it
 */
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { drawFeatures, type Feature, featureNames } from '#test/simulation/features.ts';
import { shrink } from '#test/simulation/shrink.ts';
import type { SeedMessage } from './nightly/seeds.ts';
import { runStage } from './testing/stage.ts';
import { summaryText } from './testing/summary.ts';

const SEEDS = 10_000;
const DAY_MS = 86_400_000;
const SHOWN_MAX = 5;
const PROGRESS_EVERY = 500;

process.chdir(join(import.meta.dirname, '..'));
const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    first: { type: 'string' },
    only: { type: 'string' },
    feature: { type: 'string' },
    workers: { type: 'string' },
    shrink: { type: 'boolean' },
  },
});
const count = wholeNumber('--seeds', values.seeds ?? String(SEEDS));
// Another range each day, and one that can be asked for again.
const first = wholeNumber(
  '--first',
  values.first ?? String(Math.floor(Date.now() / DAY_MS) * SEEDS),
);
const workers = wholeNumber('--workers', values.workers ?? String(availableParallelism()));
if (workers === 0) throw new Error('--workers 0 simulates nothing; allowed is 1 and more');

const feature = values.feature === undefined ? undefined : featureNamed(values.feature);
if (values.only !== undefined && values.only !== 'seeds') {
  throw new Error(`--only ${JSON.stringify(values.only)} is not known; allowed is seeds`);
}

// Every evaluation of every scenario, compared with those that matter.
process.env['GENESIS_EVERY_TICK'] = 'all';
const broken = await simulateAll(seedsWanted());
if (values.shrink === true) for (const { seed } of broken) await tellSmallest(seed);
const isAll = values.only === undefined && values.shrink !== true;
const areTestsGood = isAll ? await testAll() : true;
for (const { seed } of broken) {
  console.log(`broken: npm run nightly -- --seeds 1 --first ${seed} --shrink`);
}
process.exitCode = broken.length === 0 && areTestsGood ? 0 : 1;

async function testAll(): Promise<boolean> {
  const startedAt = performance.now();
  const tests = await runStage({
    name: 'unit, a process a file',
    files: [
      ...globSync('src/**/*.test.ts'),
      ...globSync('test/**/*.test.ts'),
      ...globSync('scripts/**/*.test.ts'),
    ]
      .filter((file) => !file.startsWith('test/cluster/'))
      .toSorted(),
    isolation: 'process',
    filesAtOnce: availableParallelism(),
    testMaxMs: 300_000,
  });
  process.stdout.write(summaryText([tests], performance.now() - startedAt));
  return tests.success;
}

async function tellSmallest(seed: number): Promise<void> {
  console.log(`\nthe smallest world of seed ${seed} that is broken:`);
  const smallest = await shrink(seed);
  if (smallest === undefined) return;
  console.log(`${smallest.parts.join(', ') || 'nothing but the rollout'}\n${smallest.message}`);
}

type Broken = Extract<SeedMessage, { type: 'broken' }>;

function seedsWanted(): readonly number[] {
  const seeds = Array.from({ length: count }, (_, index) => first + index);
  if (feature === undefined) {
    console.log(`simulating ${count} seeds from ${first}`);
    return seeds;
  }
  const chosen = seeds.filter((seed) => drawFeatures(seed, new Set()).has(feature));
  console.log(`simulating ${chosen.length} of ${count} seeds from ${first}: those with ${feature}`);
  return chosen;
}

async function simulateAll(seeds: readonly number[]): Promise<readonly Broken[]> {
  const total = seeds.length;
  const found: Broken[] = [];
  const phases = new Map<string, number>();
  let done = 0;
  const listen = (message: SeedMessage): void => {
    done += 1;
    if (message.type === 'broken') {
      found.push(message);
      const words = found.length <= SHOWN_MAX ? `\n${message.words}` : '';
      console.log(`✖ seed ${message.seed}${words}`);
    } else {
      phases.set(message.phase ?? 'none', (phases.get(message.phase ?? 'none') ?? 0) + 1);
    }
    if (done % PROGRESS_EVERY === 0) console.log(`${done} of ${total}, ${found.length} broken`);
  };
  // Every n-th to each, so that all are about as far at any time.
  const share = (offset: number) => seeds.filter((_, index) => index % workers === offset);
  await Promise.all(Array.from({ length: workers }, (_, offset) => work(share(offset), listen)));
  if (done !== total) throw new Error(`${done} of ${total} seeds were simulated`);
  const ends = Array.from(phases, ([phase, times]) => `${phase} ${times}`).join(', ');
  console.log(`${total} seeds, ${found.length} broken; ended ${ends}`);
  return found;
}

function work(seeds: readonly number[], listen: (message: SeedMessage) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(join(import.meta.dirname, 'nightly/seeds.ts'), { workerData: seeds });
    worker.on('message', listen).on('error', reject);
    worker.on('exit', () => resolve());
  });
}

function featureNamed(name: string): Feature {
  const found = featureNames.find((one) => one === name);
  if (found !== undefined) return found;
  const allowed = featureNames.join(', ');
  throw new Error(`--feature ${JSON.stringify(name)} is not known; allowed is ${allowed}`);
}

function wholeNumber(flag: string, text: string): number {
  if (/^[0-9]{1,12}$/.test(text)) return Number(text);
  throw new Error(`${flag} ${JSON.stringify(text)} is no whole number`);
}
