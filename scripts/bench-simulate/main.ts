/**
 * `npm run bench:simulate`: how long a rollout takes in virtual time, warm, and what the first run of a process takes. A
 * scenario that does not go as its file expects is no measurement.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { quantiles } from '#scripts/bench/quantiles.ts';
import { differences } from '#simulate/expectations.ts';
import { readScenario, type Scenario } from '#simulate/read-scenario.ts';
import { renderVerdict } from '#simulate/render.ts';
import { simulate } from '#simulate/simulate.ts';

const options = {
  runs: { type: 'string', default: '30' },
  warm: { type: 'string', default: '10' },
  only: { type: 'string' },
  'every-tick': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const usage = `npm run bench:simulate -- [--runs N] [--warm N] [--only NAME] [--every-tick]

  --runs N      measured runs of each scenario (30)
  --warm N      runs before those, not measured (10)
  --only NAME   one scenario of scripts/bench-simulate/scenarios
  --every-tick  carries out every evaluation
`;

const folder = join(import.meta.dirname, 'scenarios');

function main(): void {
  const { values } = parseArgs({ options });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const counts = { runs: Number(values.runs), warm: Number(values.warm) };
  if (!Number.isInteger(counts.runs) || counts.runs < 1 || !Number.isInteger(counts.warm)) {
    process.stderr.write(`--runs and --warm are whole numbers, --runs above 0\n\n${usage}`);
    process.exitCode = 2;
    return;
  }
  const all = readdirSync(folder).map((file) => file.replace(/[.]yaml$/, ''));
  const names = all.filter((name) => values.only === undefined || name === values.only);
  if (names.length === 0) {
    process.stderr.write(`--only: ${JSON.stringify(values.only)} is none of ${all.join(', ')}\n`);
    process.exitCode = 2;
    return;
  }
  console.log('scenario      looks  median ms   p95 ms   min ms  first ms');
  for (const name of names) measure(name, { ...counts, everyTick: values['every-tick'] });
}

/** The file is read once: what is measured is the time from the scenario to its timeline. */
function measure(
  name: string,
  { runs, warm, everyTick }: { readonly runs: number; readonly warm: number; everyTick: boolean },
): void {
  const scenario = load(name);
  const times: number[] = [];
  let looks = 0;
  for (let run = 0; run < warm + runs; run += 1) {
    const startedAt = performance.now();
    const result = simulate(scenario, { everyTick });
    times.push(performance.now() - startedAt);
    if (result.type !== 'ok') throw new Error(result.problems.join('\n'));
    const found = differences(scenario, result);
    if (found.length > 0) throw new Error(renderVerdict(scenario, found));
    looks = result.looks;
  }
  const measured = times.slice(warm);
  const { p50, p95 } = quantiles(measured);
  const figures = [p50, p95, Math.min(...measured), times[0] ?? Number.NaN];
  const cells = figures.map((ms) => ms.toFixed(1).padStart(9)).join('');
  console.log(`${name.padEnd(12)}${String(looks).padStart(7)}  ${cells}`);
}

function load(name: string): Scenario {
  const file = join(folder, `${name}.yaml`);
  const result = readScenario({
    file: `${name}.yaml`,
    text: readFileSync(file, 'utf8'),
    readBeside: (other) => readFileSync(join(dirname(file), other), 'utf8'),
  });
  if (result.type !== 'ok') throw new Error(result.problems.join('\n'));
  return result.scenario;
}

main();
