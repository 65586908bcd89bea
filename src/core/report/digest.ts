/** What hundreds of snapshots say together: how many there are, and the extremes and the last of every metric. */
import { gapsUpTo, noIndices, withIndex } from '#core/index-ranges.ts';
import type { RecordedReading, SnapshotRecord } from '#core/record.ts';
import { toIso } from '#core/time.ts';
import type { MetricDigest, ReportedSnapshots } from './data.ts';

export function digestOf(
  records: readonly SnapshotRecord[],
  run: { readonly startedAtMs: number; readonly endedAtMs: number; readonly intervalMs: number },
): ReportedSnapshots {
  const { startedAtMs, endedAtMs, intervalMs } = run;
  const expected = Math.max(0, Math.floor((endedAtMs - startedAtMs) / intervalMs));
  const there = records.reduce((known, { index }) => withIndex(known, index), noIndices);
  const atOf = (index: number) => toIso(startedAtMs + index * intervalMs);
  const gaps = gapsUpTo(there, expected).map(([from, to]) => ({
    from,
    to,
    fromAt: atOf(from),
    toAt: atOf(to),
  }));
  return {
    intervalMs,
    expected,
    missing: gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0),
    gaps,
    metrics: [...metricDigests(records), ...triggerDigests(records)],
    health: healthOf(records),
    alerts: alertsOf(records),
  };
}

function metricDigests(records: readonly SnapshotRecord[]): MetricDigest[] {
  const names = new Set(records.flatMap(({ metrics }) => Object.keys(metrics)));
  return [...names].map((name) =>
    digest(
      name,
      records.map(({ metrics }) => metrics[name]),
    ),
  );
}

/** Readings of triggers that are no named metric: suites, probes, queries of their own. */
function triggerDigests(records: readonly SnapshotRecord[]): MetricDigest[] {
  const known = new Set(records.flatMap(({ metrics }) => Object.keys(metrics)));
  const names = new Set(
    records.flatMap(({ triggers }) =>
      triggers.flatMap(({ name, reading }) =>
        reading === undefined || known.has(name) ? [] : [name],
      ),
    ),
  );
  return [...names].map((name) =>
    digest(
      `trigger ${name}`,
      records.map(({ triggers }) => triggers.find((one) => one.name === name)?.reading),
    ),
  );
}

function digest(name: string, readings: readonly (RecordedReading | undefined)[]): MetricDigest {
  const values = readings.flatMap((one) =>
    one !== undefined && 'value' in one ? [Number(one.value)] : [],
  );
  const without = readings.length - values.length;
  const last = values.at(-1);
  if (last === undefined) return { name, values: 0, without };
  const min = values.reduce((least, value) => Math.min(least, value));
  const max = values.reduce((most, value) => Math.max(most, value));
  return {
    name,
    values: values.length,
    without,
    min: inJson(min),
    max: inJson(max),
    last: inJson(last),
  };
}

function inJson(value: number): number | string {
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : String(value);
}

function healthOf(records: readonly SnapshotRecord[]): ReportedSnapshots['health'] {
  return (['prometheus', 'alertmanager', 'grafana'] as const).map((of) => {
    const states: Record<string, number> = {};
    for (const { health } of records) states[health[of]] = (states[health[of]] ?? 0) + 1;
    return { of, states };
  });
}

function alertsOf(records: readonly SnapshotRecord[]): ReportedSnapshots['alerts'] {
  const counts = new Map<string, number>();
  for (const { alerts } of records) {
    for (const name of new Set((alerts ?? []).map((alert) => alert.name))) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return [...counts].map(([name, snapshots]) => ({ name, snapshots }));
}
