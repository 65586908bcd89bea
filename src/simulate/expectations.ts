/** Compares what happened with what the scenario expects, and writes expectations down. Exact to the second. */
import { formatDuration } from '#api/duration.ts';
import { momentMs } from './moment.ts';
import type { Scenario } from './read-scenario.ts';
import { type ExpectKind, type ExpectLine, expectKinds, type FinalInput } from './scenario.ts';
import type { Simulation } from './simulate.ts';
import type { Line } from './timeline.ts';

export interface Difference {
  readonly type: 'missing' | 'unexpected' | 'final';
  readonly atMs: number;
  /** `trigger error-rate Firing` */
  readonly what: string;
  /** For what is missing: when the same thing happened instead. */
  readonly insteadMs?: readonly number[];
}

/** What `--update` writes of a scenario that does not say: events and suites are many, and follow from the rest. */
const updatedKinds = expectKinds.filter((kind) => kind !== 'event' && kind !== 'suite');

export function differences(scenario: Scenario, simulation: Simulation): readonly Difference[] {
  const { expect = [], complete, startMs } = scenario;
  const unmatched = new Set(simulation.lines.filter(({ kind }) => kind !== 'world'));
  const missing = expect.flatMap((line): Difference[] => {
    const atMs = momentMs(line.at, startMs);
    const alike = [...unmatched].filter((one) => isSameThing(line, one));
    const found = alike.find((one) => secondOf(one.atMs) === secondOf(atMs));
    if (found !== undefined) {
      unmatched.delete(found);
      return [];
    }
    const insteadMs = alike.map((one) => one.atMs);
    return [{ type: 'missing', atMs, what: expectText(line), insteadMs }];
  });
  const kinds: readonly string[] =
    complete === true ? expectKinds : complete === false ? [] : complete;
  const unexpected = [...unmatched]
    .filter(({ kind }) => kinds.includes(kind))
    .map((one): Difference => ({ type: 'unexpected', atMs: one.atMs, what: lineText(one) }));
  return [...missing, ...unexpected, ...finalDifferences(scenario, simulation)].sort(
    (a, b) => a.atMs - b.atMs,
  );
}

function secondOf(atMs: number): number {
  return Math.floor(atMs / 1000);
}

/** A trigger without a state means that it fires; any other state or origin that is not said does not matter. */
function isSameThing(expected: ExpectLine, line: Line): boolean {
  const kind = kindOf(expected);
  const state = kind === 'trigger' ? (expected.state ?? 'Firing') : expected.state;
  return (
    line.kind === kind &&
    line.value === expected[kind] &&
    (state === undefined || state === line.state) &&
    (expected.by === undefined || expected.by === line.by)
  );
}

function kindOf(line: ExpectLine): ExpectKind {
  return expectKinds.find((kind) => line[kind] !== undefined) ?? 'event';
}

function expectText(line: ExpectLine): string {
  const kind = kindOf(line);
  const state = kind === 'trigger' ? (line.state ?? 'Firing') : line.state;
  return textOf(kind, String(line[kind]), state, line.by);
}

export function lineText({ kind, value, state, by }: Line): string {
  return textOf(kind, String(value), state, by);
}

function textOf(kind: string, value: string, state?: string, by?: string): string {
  const unit = kind === 'weight' ? '%' : '';
  return [kind, `${value}${unit}`, state, by === undefined ? undefined : `by ${by}`]
    .filter((part) => part !== undefined)
    .join(' ');
}

function finalDifferences(scenario: Scenario, simulation: Simulation): Difference[] {
  const { final, endMs } = scenario;
  if (final === undefined) return [];
  const reached = finalOf(simulation);
  return Object.entries(final).flatMap(([field, wanted]): Difference[] => {
    const is: unknown = Reflect.get(reached, field);
    if (JSON.stringify(is) === JSON.stringify(wanted)) return [];
    const what = `final ${field} is ${JSON.stringify(is) ?? 'not set'}, expected ${JSON.stringify(wanted)}`;
    return [{ type: 'final', atMs: endMs, what }];
  });
}

export function finalOf({ status, weight }: Simulation): FinalInput {
  const firing = (status.triggers ?? []).filter((one) => one.state === 'Firing');
  const outcome = status.rollback?.outcome ?? status.history?.[0]?.outcome;
  return {
    phase: status.phase,
    ...(status.step === undefined ? {} : { step: status.step }),
    weight,
    firing: firing.map((one) => one.name),
    holds: (status.holds ?? []).map((one) => one.reason),
    ...(outcome === undefined ? {} : { outcome }),
    ...(status.rollback?.withinSla === undefined ? {} : { withinSla: status.rollback.withinSla }),
  };
}

/** What `--update` writes: everything that happened, of the kinds that the scenario is to be complete in. */
export function expectationsOf(
  scenario: Scenario,
  simulation: Simulation,
): {
  readonly expect: readonly Readonly<Record<string, string | number>>[];
  readonly complete: boolean | readonly ExpectKind[];
  readonly final: FinalInput;
} {
  const given = scenario.complete;
  const complete = given === false ? updatedKinds : given;
  const kinds: readonly string[] = complete === true ? expectKinds : complete;
  const expect = simulation.lines
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ atMs, kind, value, state, by }) => ({
      // To the second, as it is compared.
      at: formatDuration(secondOf(atMs - scenario.startMs) * 1000),
      [kind]: value,
      ...(state === undefined ? {} : { state }),
      ...(by === undefined ? {} : { by }),
    }));
  return { expect, complete, final: finalOf(simulation) };
}
