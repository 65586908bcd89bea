/**
 * `npm run check`: everything that can be said about this repository without running it. All checks run, then it
 * fails if one of them has; `npm run check -- lint types` runs only those.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';

interface Outcome {
  readonly isGood: boolean;
  /** Shown only when it is not good. */
  readonly output: string;
}

interface Check {
  readonly name: string;
  readonly what: string;
  readonly run: () => Promise<Outcome>;
}

const root = join(import.meta.dirname, '..');

const checks: readonly Check[] = [
  { name: 'types', what: 'TypeScript', run: () => command('tsc', '-p', '.') },
  {
    name: 'types-core',
    what: 'the core knows neither Node nor a browser',
    run: () => command('tsc', '-p', 'src/core'),
  },
  {
    name: 'lint',
    what: 'oxlint, with types',
    run: () => command('oxlint', '--type-aware', '--deny-warnings', 'src', 'scripts', 'test'),
  },
  { name: 'format', what: 'Biome', run: () => command('biome', 'check', '.') },
  { name: 'dead', what: 'nothing is unused', run: () => command('knip') },
  {
    name: 'generated',
    what: 'crds/, charts/ and docs/reference/ are what the sources say',
    run: () => command('node', 'scripts/gen.ts', '--check'),
  },
  { name: 'lock', what: 'package-lock.json names no registry', run: checkLockFile },
];

process.exitCode = await main(process.argv.slice(2));

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !checks.some((check) => check.name === name));
  if (unknown.length > 0) {
    const known = checks.map(({ name }) => name).join(', ');
    console.error(`check: there is no check ${unknown.join(', ')}; there are ${known}`);
    return 2;
  }
  const waiting = checks.filter(({ name }) => names.length === 0 || names.includes(name));
  const failed: string[] = [];
  const work = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      if (!(await report(check))) failed.push(check.name);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));
  console.log(failed.length === 0 ? 'all checks passed' : `checks failed: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

async function report({ name, what, run }: Check): Promise<boolean> {
  const startedAt = performance.now();
  const { isGood, output } = await run();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${isGood ? '✔' : '✖'} ${name} (${what}) ${seconds} s`);
  if (!isGood) console.log(output);
  return isGood;
}

function command(name: string, ...args: readonly string[]): Promise<Outcome> {
  const file = name === 'node' ? process.execPath : join(root, 'node_modules/.bin', name);
  // The tools are scripts that look for `node` on the PATH: it shall be this one.
  const path = [join(root, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter);
  const env = { ...process.env, PATH: path };
  return new Promise((resolve) => {
    execFile(file, args, { cwd: root, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const words = error !== null && stdout + stderr === '' ? error.message : '';
      resolve({ isGood: error === null, output: `${stdout}${stderr}${words}`.trimEnd() });
    });
  });
}

/** Whoever installs uses a registry of their own choice; `omit-lockfile-registry-resolved` keeps it so. */
async function checkLockFile(): Promise<Outcome> {
  const text = await readFile(join(root, 'package-lock.json'), 'utf8');
  const named = text.split('\n').filter((line) => /"resolved": *"https?:/.test(line));
  return { isGood: named.length === 0, output: named.slice(0, 5).join('\n') };
}
