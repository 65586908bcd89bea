/** Invariant 4, second half: the end of a run says why, and so does its report. */

import { annotations, configMapResource, labels } from '#api/names.ts';
import type { RolloutStatus } from '#api/status.ts';
import { countUpTo, parseRanges } from '#core/index-ranges.ts';
import type { FakeApiServer } from '#test/fakes/cluster.ts';
import { Violation } from './checker.ts';
import { namespace } from './scenario.ts';

/** @returns false while the last report may still come */
export function expectReport(
  server: FakeApiServer,
  { history = [], rollback, runId, phase }: RolloutStatus,
  isKept: boolean,
): boolean {
  const [last] = history;
  if (last === undefined || last.runId !== runId || last.outcome !== phase || !last.message) {
    throw new Violation(
      `invariant 4: run ${runId} has ended ${phase}, and history says ${JSON.stringify(last)}`,
    );
  }
  if (!isKept) return true;
  expectSnapshotsOnce(server, runId ?? '');
  const name = last.report?.replace('configmap/', '') ?? '';
  const report = server.get(configMapResource, { namespace, name });
  if (report?.metadata.annotations?.['genesis.dev/report'] !== 'final') return false;
  const text = (report['data'] as Record<string, string>)['report.md'] ?? '';
  const why = rollback?.message ?? 'succeeded';
  if (text.includes(why)) return true;
  throw new Violation(`invariant 4: the report does not say ${JSON.stringify(why)}:\n${text}`);
}

/** Parts and segments of one run never have the same snapshot. */
function expectSnapshotsOnce(server: FakeApiServer, runId: string): void {
  const seen = new Set<number>();
  for (const { metadata } of server.list(configMapResource)) {
    const text = metadata.annotations?.[annotations.recorded];
    if (metadata.labels?.[labels.run] !== runId || text === undefined) continue;
    const ranges = parseRanges(text);
    for (let index = 1; index < 200; index += 1) {
      if (countUpTo(ranges, index) === countUpTo(ranges, index - 1)) continue;
      if (seen.has(index)) throw new Violation(`once: snapshot ${index} is kept twice`);
      seen.add(index);
    }
  }
}
