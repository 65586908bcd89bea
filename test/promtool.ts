/** Rule files before promtool: checked with every lint, and tested on series whose alerts must fire at a given moment. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError, run } from '#scripts/testbed/command.ts';
import { toolPath } from '#scripts/testbed/index.ts';

export interface RuleGroup {
  readonly name: string;
  readonly interval?: string;
  readonly rules: readonly {
    readonly alert: string;
    readonly for?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
}

export interface FiringCase {
  /** Which alert: its labels as a selector, `alertname="GenesisDown"`. */
  readonly alert: string;
  readonly series: Readonly<Record<string, string>>;
  /** When it must fire; a sample before that it must not. Undefined: it must never, at no time. */
  readonly firesAtSeconds: number | undefined;
  /** It has fired, and must do so no longer. */
  readonly isOverAtSeconds?: number;
  /** How many of it then. */
  readonly count?: number;
}

const INTERVAL_SECONDS = 15;
/** "Never" is this long. */
const LONG_SECONDS = 400 * INTERVAL_SECONDS;

/** What promtool has to say against the rules; empty when nothing. */
export async function lintRules(groups: readonly RuleGroup[]): Promise<string> {
  return await withFolder(async (folder) => {
    const file = join(folder, 'rules.json');
    await writeFile(file, JSON.stringify({ groups }));
    return await complaint(['check', 'rules', '--lint=all', '--lint-fatal', file]);
  });
}

/** What promtool finds wrong with the moments at which alerts fire; empty when nothing. */
export async function testRules(
  groups: readonly RuleGroup[],
  cases: readonly FiringCase[],
): Promise<string> {
  return await withFolder(async (folder) => {
    const rules = join(folder, 'rules.json');
    const file = join(folder, 'test.json');
    await writeFile(rules, JSON.stringify({ groups }));
    const tests = cases.map(testOf);
    await writeFile(
      file,
      JSON.stringify({
        rule_files: [rules],
        evaluation_interval: `${INTERVAL_SECONDS}s`,
        tests,
      }),
    );
    return await complaint(['test', 'rules', file]);
  });
}

function testOf({ alert, series, firesAtSeconds, isOverAtSeconds, count = 1 }: FiringCase): object {
  const firing = `ALERTS{${alert},alertstate="firing"}`;
  const at = (seconds: number, value: number, what = firing) => ({
    expr: `count(${what}) or vector(0)`,
    eval_time: `${seconds}s`,
    exp_samples: [{ labels: '{}', value }],
  });
  const before = (firesAtSeconds ?? 0) - INTERVAL_SECONDS;
  return {
    name: `${alert} ${firesAtSeconds === undefined ? 'never fires' : `fires at ${firesAtSeconds} s`}`,
    interval: `${INTERVAL_SECONDS}s`,
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test:
      firesAtSeconds === undefined
        ? [at(LONG_SECONDS, 0, `last_over_time(${firing}[${LONG_SECONDS + INTERVAL_SECONDS}s])`)]
        : [
            ...(before < 0 ? [] : [at(before, 0)]),
            at(firesAtSeconds, count),
            ...(isOverAtSeconds === undefined ? [] : [at(isOverAtSeconds, 0)]),
          ],
  };
}

async function complaint(args: readonly string[]): Promise<string> {
  try {
    await run(await toolPath('promtool'), args);
    return '';
  } catch (error) {
    if (error instanceof CommandError && error.exitCode !== null) return error.message;
    throw error;
  }
}

async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'genesis-rules-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
