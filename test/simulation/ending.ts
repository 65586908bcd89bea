/** Invariant 4, second half: the end of a run says why, and so does its report. */
import type { RolloutStatus } from '#api/status.ts';
import { configMapResource } from '#evidence/config-map.ts';
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
  const name = last.report?.replace('configmap/', '') ?? '';
  const report = server.get(configMapResource, { namespace, name });
  if (report?.metadata.annotations?.['genesis.dev/report'] !== 'final') return false;
  const text = (report['data'] as Record<string, string>)['report.md'] ?? '';
  const why = rollback?.message ?? 'succeeded';
  if (text.includes(why)) return true;
  throw new Violation(`invariant 4: the report does not say ${JSON.stringify(why)}:\n${text}`);
}
