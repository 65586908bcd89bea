/** A simulated run for people and for programs: a table of what happened when and why, or the same as data. */
import { formatDuration } from '#api/duration.ts';
import { type Difference, finalOf, lineText } from './expectations.ts';
import { elapsedText } from './moment.ts';
import type { Scenario } from './read-scenario.ts';
import type { Simulation } from './simulate.ts';
import type { Line } from './timeline.ts';

export function renderText(
  scenario: Scenario,
  simulation: Simulation,
  found: readonly Difference[],
): string {
  const { startMs, endMs, file } = scenario;
  const title = scenario.scenario === undefined ? file : `${file}: ${scenario.scenario}`;
  const rows = rowsOf(simulation.lines, startMs);
  const length = formatDuration(endMs - startMs);
  const summary = `${length} simulated; ${simulation.status.phase ?? 'nothing begun'}, canary ${simulation.weight}%`;
  return `${[title, '', ...table(rows), '', summary, ...verdictOf(scenario, found)].join('\n')}\n`;
}

/** Only what differs, for many scenarios at once. */
export function renderVerdict(scenario: Scenario, found: readonly Difference[]): string {
  return `${[scenario.file, ...verdictOf(scenario, found)].join('\n')}\n`;
}

function verdictOf(scenario: Scenario, found: readonly Difference[]): string[] {
  if (scenario.expect === undefined && scenario.final === undefined) return [];
  if (found.length === 0) return ['as expected'];
  const lines = found.map((one) => differenceText(one, scenario.startMs));
  return [`${found.length} ${found.length === 1 ? 'thing differs' : 'things differ'}:`, ...lines];
}

function differenceText(one: Difference, startMs: number): string {
  if (one.type === 'final') return `  ! ${one.what}`;
  const at = elapsedText(one.atMs, startMs);
  if (one.type === 'unexpected') return `  + ${at}  ${one.what}  (not expected)`;
  const instead = one.insteadMs ?? [];
  const when = instead.map((atMs) => elapsedText(atMs, startMs)).join(', ');
  return `  - ${at}  ${one.what}  (${instead.length === 0 ? 'did not happen' : `happened at ${when}`})`;
}

const HEAD = ['elapsed', 'time', 'phase', 'step', 'canary', 'what'] as const;

function rowsOf(lines: readonly Line[], startMs: number): readonly (readonly string[])[] {
  let phase = '';
  let step = '';
  let weight = '0%';
  let atMs = Number.NaN;
  const said = new Set<string>();
  return lines.map((line) => {
    // At one instant a sentence is said once, however many lines it explains.
    if (line.atMs !== atMs) said.clear();
    atMs = line.atMs;
    const isNew = line.message !== undefined && !said.has(line.message);
    if (line.message !== undefined) said.add(line.message);
    if (line.kind === 'phase') phase = String(line.value);
    if (line.kind === 'step') step = String(line.value);
    if (line.kind === 'weight') weight = `${line.value}%`;
    const time = new Date(line.atMs).toISOString().replace('T', ' ').replace('.000Z', 'Z');
    return [elapsedText(line.atMs, startMs), time, phase, step, weight, rowText(line, isNew)];
  });
}

function rowText(line: Line, isNew: boolean): string {
  if (line.kind === 'world') return `» ${line.value}`;
  const what = lineText(line);
  return line.message === undefined || !isNew ? what : `${what}: ${line.message}`;
}

/** Columns as wide as what stands in them; the last one as long as it is. */
function table(rows: readonly (readonly string[])[]): string[] {
  const all = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => (column < row.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell))
      .join('  '),
  );
}

export function renderJson(
  scenario: Scenario,
  simulation: Simulation,
  found: readonly Difference[],
): unknown {
  const { startMs } = scenario;
  const at = (atMs: number) => ({
    elapsed: elapsedText(atMs, startMs),
    time: new Date(atMs).toISOString(),
  });
  return {
    file: scenario.file,
    ...(scenario.scenario === undefined ? {} : { scenario: scenario.scenario }),
    start: new Date(startMs).toISOString(),
    end: new Date(scenario.endMs).toISOString(),
    asExpected: found.length === 0,
    timeline: simulation.lines.map(({ atMs, ...line }) => ({ ...at(atMs), ...line })),
    final: finalOf(simulation),
    differences: found.map(({ atMs, insteadMs = [], ...one }) => ({
      ...at(atMs),
      ...one,
      ...(one.type === 'missing' ? { instead: insteadMs.map((ms) => at(ms)) } : {}),
    })),
    status: simulation.status,
  };
}
