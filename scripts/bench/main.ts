/**
 * `npm run bench -- --rollouts N`: measures the table of docs/performance.md against the real API server, with a metrics
 * stub whose answers it sets and the API server's audit log as the count of requests.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { buildController } from '../demo/controller.ts';
import { Bench } from './bench.ts';
import { runMemory, slopeOf } from './memory.ts';
import { printReport } from './report.ts';

const options = {
  rollouts: { type: 'string', default: '1000' },
  'steady-seconds': { type: 'string', default: '60' },
  scattered: { type: 'string', default: '100' },
  'shared-query': { type: 'boolean', default: false },
  concurrency: { type: 'string', default: '1024' },
  profile: { type: 'boolean', default: false },
  logs: { type: 'string' },
  json: { type: 'string' },
  'memory-hours': { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

class BadFlag extends Error {}

const usage = `npm run bench -- [--rollouts N] [--steady-seconds S] [--scattered F] [--shared-query] [--concurrency C] [--profile] [--logs DIR] [--json FILE]
       npm run bench -- --memory-hours H [--rollouts N]

  --rollouts N        rollouts in mid-canary (1000)
  --steady-seconds S  how long the steady state is watched (60)
  --scattered F       rollouts that fail at moments of their own (100); all others fail at once after them
  --shared-query      all rollouts ask one query and pick their series
  --profile           writes a CPU profile of each process of the controller (V8, .cpuprofile) to --logs
  --logs DIR          keeps the logs of controller and API server there; the controller then logs every decision
  --json FILE         writes the figures as JSON
  --memory-hours H    instead: H hours of virtual time over an API server in memory, heap used after each 48 of them
`;

function count(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new BadFlag(`--${name}: "${text}" is not a whole number above 0`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  if (values['memory-hours'] !== undefined) {
    const hours = count('memory-hours', values['memory-hours']);
    const samples = await runMemory({ hours, rollouts: count('rollouts', values.rollouts) });
    process.stdout.write(`slope ${(slopeOf(samples) * 1000).toFixed(1)} kB an hour\n`);
    return;
  }
  const bench = new Bench({
    rollouts: count('rollouts', values.rollouts),
    steadySeconds: count('steady-seconds', values['steady-seconds']),
    scattered: count('scattered', values.scattered),
    concurrency: count('concurrency', values.concurrency),
    sharedQuery: values['shared-query'],
    profile: values.profile,
    logs: values.logs,
  });
  try {
    // What is measured is what the sources say now.
    await buildController();
    const figures = await bench.run();
    printReport(figures);
    if (values.json !== undefined) {
      await writeFile(values.json, `${JSON.stringify(figures, null, 2)}\n`);
    }
  } finally {
    await bench.stop();
  }
}

try {
  await main();
} catch (error) {
  const isUsage =
    error instanceof BadFlag ||
    (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  if (!isUsage) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 2;
}
