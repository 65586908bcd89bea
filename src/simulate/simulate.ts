/** Runs a scenario: from look to look and from thing to thing, in virtual time. */
import { parseDuration } from '#api/duration.ts';
import type { RolloutStatus } from '#api/status.ts';
import type { SnapshotRecord } from '#core/record.ts';
import { subjectsOf } from './measures.ts';
import { namedValues } from './named-values.ts';
import { scenarioPromql } from './promql/scenario-promql.ts';
import type { Scenario } from './read-scenario.ts';
import { jobProblems } from './scenario-jobs.ts';
import { ScenarioShell } from './scenario-shell.ts';
import { suiteProblems } from './scenario-suites.ts';
import { worldChanges, worldLine } from './things.ts';
import type { Line } from './timeline.ts';
import { virtualProbes } from './virtual-probes.ts';

export interface Simulation {
  /** In order of time. */
  readonly lines: readonly Line[];
  /** At the end. */
  readonly status: RolloutStatus;
  readonly weight: number;
  readonly looks: number;
  /** The snapshots that were kept; drawn up when somebody asks. */
  readonly records: () => readonly SnapshotRecord[];
}

export type SimulationResult =
  | ({ readonly type: 'ok' } & Simulation)
  | { readonly type: 'invalid'; readonly problems: readonly string[] };

export interface SimulateOptions {
  /** Every evaluation is carried out, also where nothing can have changed. Default: false. */
  readonly everyTick?: boolean;
}

/** More looks at one instant than this go in circles. */
const LOOKS_MAX = 40;

export function simulate(scenario: Scenario, options: SimulateOptions = {}): SimulationResult {
  let shell: ScenarioShell | undefined;
  const timing = {
    beginMs: scenario.startMs - parseDuration(scenario.history),
    intervalMs: parseDuration(scenario.interval),
  };
  const named = namedValues({
    series: scenario.series,
    subjects: subjectsOf(scenario.spec),
    ...timing,
    isHealthyElse: isHealthyElse(scenario),
    shareOf: (atMs) => shell?.shareAt(atMs) ?? scenario.weight,
  });
  const probes = virtualProbes(scenario.series, scenario.spec, timing);
  const stepMs = parseDuration(scenario.spec.analysis.interval);
  const promql = scenarioPromql(scenario.series, { ...timing, stepMs, endMs: scenario.endMs });
  const outside = [
    ...suiteProblems(scenario.suites, scenario.spec),
    ...jobProblems(scenario.jobs, scenario.spec),
  ];
  const found = [named, probes, promql].flatMap((one) =>
    one.type === 'invalid' ? one.problems : [],
  );
  const problems = [...found, ...outside];
  if (
    outside.length > 0 ||
    named.type === 'invalid' ||
    probes.type === 'invalid' ||
    promql.type === 'invalid'
  ) {
    return { type: 'invalid', problems: problems.map((one) => `${scenario.file}: ${one}`) };
  }
  const measured = { promql: promql.promql, named: named.values, probes: probes.probes };
  shell = new ScenarioShell(scenario, measured);
  run(scenario, shell, options.everyTick === true);
  const { status, lines, looks, evidence } = shell;
  const weight = shell.shareAt(scenario.endMs);
  return { type: 'ok', lines, status, weight, looks, records: () => evidence.records };
}

/** Who writes series in Prometheus' words says all of them; who names measures says what is unusual. */
function isHealthyElse({ others, series }: Scenario): boolean {
  return (
    (others ?? (series.some((one) => one.series !== undefined) ? 'absent' : 'healthy')) ===
    'healthy'
  );
}

function run(scenario: Scenario, shell: ScenarioShell, everyTick: boolean): void {
  const changes = worldChanges(scenario);
  let nextChange = 0;
  let looks = 0;
  for (;;) {
    const change = changes[nextChange];
    const lookAtMs = shell.isOperatorDown ? undefined : shell.nextLook();
    const atMs = Math.min(change?.atMs ?? Infinity, lookAtMs ?? Infinity);
    // Nobody holds a deleted object back any more: it is gone.
    const isGone = shell.deletionRequestedAtMs !== undefined && !shell.hasFinalizer;
    if (atMs > scenario.endMs || isGone) return;
    looks = atMs > shell.now ? 0 : looks + 1;
    shell.now = Math.max(shell.now, atMs);
    if (change !== undefined && change.atMs <= shell.now) {
      nextChange += 1;
      shell.lines.push(worldLine(change));
      shell.disturb();
      change.apply(shell);
      continue;
    }
    if (looks > LOOKS_MAX) throw new Error(`goes in circles: ${shell.status.message}`);
    shell.lookAndTell();
    if (!everyTick) shell.goOnQuietly(change?.atMs ?? scenario.endMs);
  }
}
