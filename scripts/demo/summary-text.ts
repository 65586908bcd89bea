/** The summary for a person: a table of steps, the times of a rollback, and what was promised with PASS or FAIL. */
import type { Paint } from './paint.ts';
import { type Expectation, percentText, type RollbackSummary, type RunSummary } from './summary.ts';

export function renderSummary(runs: readonly RunSummary[], paint: Paint): string[] {
  return [
    ...runs.flatMap((run) => [...renderRun(run, paint), '']),
    ...runs.flatMap((run) => run.expectations.map((one) => renderExpectation(one, paint))),
  ];
}

function renderRun(run: RunSummary, paint: Paint): string[] {
  const style = run.outcome === 'Succeeded' ? 'good' : 'warn';
  const took = run.durationMs === undefined ? '' : ` after ${seconds(run.durationMs, 0)}`;
  const count = run.requests.toLocaleString('en');
  const failed = run.failedRequests.toLocaleString('en');
  const kinds = Object.entries(run.failures).map(([what, times]) => `${times} ${what}`);
  const how = kinds.length === 0 ? '' : ` (${kinds.join(', ')})`;
  return [
    `${paint('strong', `Run ${run.run}, ${run.version}:`)} ${paint(style, run.outcome)}${took}; ${count} requests, ${failed} failed${how}`,
    paint('faint', `  ${row('step', 'asked', 'measured', 'requests')}`),
    ...run.steps.map(
      (step) =>
        `  ${row(step.name, `${step.asked}%`, percentText(step.percent), step.requests.toLocaleString('en'))}`,
    ),
    ...(run.rollback === undefined ? [] : renderRollback(run.rollback)),
  ];
}

function row(name: string, asked: string, measured: string, requests: string): string {
  return `${name.padEnd(14)}${asked.padStart(8)}${measured.padStart(11)}${requests.padStart(11)}`;
}

function renderRollback(rollback: RollbackSummary): string[] {
  const times: [string, number | undefined][] = [
    ['fault to firing', rollback.faultToFiringMs],
    ['firing to route at 0%', rollback.firingToWeightZeroMs],
    ['firing to last canary answer', rollback.firingToLastCanaryResponseMs],
  ];
  return [
    `  because ${rollback.message.split(' (query')[0] ?? ''}`,
    ...times.map(
      ([name, ms]) =>
        `  ${name.padEnd(32)}${(ms === undefined ? '–' : seconds(ms, 2)).padStart(9)}`,
    ),
  ];
}

function renderExpectation({ passed, sentence, seen }: Expectation, paint: Paint): string {
  return `${passed ? paint('good', 'PASS') : paint('bad', 'FAIL')}  ${sentence}: ${seen}`;
}

function seconds(ms: number, digits: number): string {
  return `${(ms / 1_000).toFixed(digits)} s`;
}
