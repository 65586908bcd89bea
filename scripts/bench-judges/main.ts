/**
 * `npm run bench:judges`: how often the judges send a healthy canary back, and how long they need for a bad one, over
 * simulated rollouts of 48 hours. Seeded: the same command prints the same figures.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { atTheBorder, commonCause, detection, falseRollbacks } from './cells.ts';
import { borderTable, commonTable, falseTable, lateTable, stepTable } from './tables.ts';

const options = {
  replications: { type: 'string', default: '400' },
  json: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

const usage = `npm run bench:judges -- [--replications N] [--json FILE]

  --replications N  simulated rollouts a cell (400)
  --json FILE       writes the figures as JSON
`;

/** Share of bad requests of both arms, and requests a second of each. */
const healthy: readonly (readonly [bad: number, perSecond: number])[] = [
  [0.001, 0.5],
  [0.001, 1],
  [0.001, 5],
  [0.001, 20],
  [0.001, 100],
  [0.002, 1],
  [0.002, 5],
  [0.004, 5],
  [0.004, 20],
  [0.004, 100],
];

const regressions = [
  { bad: 0.003, perSecond: 20 },
  { bad: 0.006, perSecond: 20 },
  { bad: 0.01, perSecond: 1 },
  { bad: 0.01, perSecond: 5 },
  { bad: 0.01, perSecond: 20 },
  { bad: 0.02, perSecond: 5 },
  { bad: 0.05, perSecond: 1 },
  { bad: 0.05, perSecond: 20 },
] as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const replications = Number(values.replications);
  if (!Number.isInteger(replications) || replications <= 0) {
    process.stderr.write(
      `--replications: "${values.replications}" is not a whole number above 0\n`,
    );
    process.exitCode = 2;
    return;
  }
  const falses = healthy.map(([bad, perSecond]) => falseRollbacks(bad, perSecond, replications));
  print('False rollbacks, healthy canary, % of 48-hour rollouts', falseTable(falses));
  const border = [1, 20, 100].map((perSecond) => atTheBorder(perSecond, replications));
  print('The same, canary 1.5 times worse than stable: 0.15 % against 0.1 %', borderTable(border));
  const common = [5, 20, 100, 1000].map((perSecond) => commonCause(perSecond, replications));
  print('5 % bad on both arms for 10 minutes, % rolled back', commonTable(common));
  const step = regressions.map((one) => detection('step', one, replications));
  print('Onset with the step, minutes: median (p90)', stepTable(step));
  const late = regressions.map((one) => detection('late', one, replications));
  const anywhere = regressions.map((one) => detection('anywhere', one, replications));
  print('Onset after 24 hours, minutes: median (p90)', lateTable(late, anywhere));
  if (values.json === undefined) return;
  const figures = { replications, falses, border, common, step, late, anywhere };
  await writeFile(values.json, `${JSON.stringify(figures, null, 2)}\n`);
}

function print(title: string, table: string): void {
  process.stdout.write(`\n${title}\n\n${table}\n`);
}

await main();
