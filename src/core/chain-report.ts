/** Which report of the metric chain counts: one of this run, and of its spec as it stands. */
import type { RolloutStatus } from '#api/status.ts';
import type { ChainReport } from './chain.ts';
import type { RunSpec } from './run-spec.ts';
import type { Snapshot } from './snapshot.ts';
import { fromIsoOptional } from './time.ts';

/** What of a view is needed: finders of holds have no more. */
export interface ChainFacts {
  readonly snapshot: Snapshot;
  readonly run: RunSpec;
  readonly status: RolloutStatus;
  readonly now: number;
}

/** The newest; undefined while there is none, and where nobody checks. */
export function reportOf(facts: ChainFacts): ChainReport | undefined {
  const { chain } = facts.snapshot;
  return chain?.type === 'known' ? ofThisRun(chain.report, facts) : undefined;
}

/** The one before it. */
export function earlierReportOf(facts: ChainFacts): ChainReport | undefined {
  const { chain } = facts.snapshot;
  return chain?.type === 'known' ? ofThisRun(chain.previous, facts) : undefined;
}

function ofThisRun(
  report: ChainReport | undefined,
  { status }: ChainFacts,
): ChainReport | undefined {
  if (report === undefined || report.generation !== (status.runGeneration ?? 0)) return undefined;
  return report.checkedAtMs >= (fromIsoOptional(status.startedAt) ?? 0) ? report : undefined;
}
