/** What becomes of a new revision while a run is under way, where the spec says Queue or Reject. */
import type { RolloutStatus } from '#api/status.ts';
import type { Because } from './decision.ts';
import type { Snapshot } from './snapshot.ts';
import { isOtherTraffic } from './traffic.ts';
import { isWatched, type RunView } from './view.ts';

export const REVISION_REJECTED = 'RevisionRejected';

/** Whether the spec as it stands was refused while the last run was under way. A further edit asks anew. */
export function isRejected({ status, object }: Snapshot): boolean {
  const accepted = status.conditions?.find((one) => one.type === 'Accepted');
  return (
    accepted?.reason === REVISION_REJECTED && accepted.observedGeneration === object.generation
  );
}

/**
 * @param next the status as it will be
 * @returns undefined where the spec wants nothing but what the run carries out
 */
export function waitingRevision(
  snapshot: Snapshot,
  next: RolloutStatus,
  isUnderWay: boolean,
): (Because & { readonly isRejected: boolean }) | undefined {
  const { wanted } = snapshot;
  if (wanted.type === 'invalid' || next.runId === undefined) return undefined;
  const { revision, onNewRevision } = wanted.run;
  if (revision === next.revision) return undefined;
  const current = `while revision ${next.revision ?? ''} was under way`;
  const isRefused = isUnderWay ? onNewRevision === 'Reject' : isRejected(snapshot);
  if (isRefused) {
    const message = `revision ${revision} came ${current} and is rejected (onNewRevision: Reject): apply it again, or retry, once the run has ended`;
    return { reason: REVISION_REJECTED, message, isRejected: true };
  }
  if (!isUnderWay || onNewRevision !== 'Queue') return undefined;
  const message = `revision ${revision} came ${current} and starts when that has ended (onNewRevision: Queue)`;
  return { reason: 'RevisionQueued', message, isRejected: false };
}

/** Other routes or Services cannot be followed in mid-run, and only Restart lets them start it again. */
export function ignoredTraffic({ snapshot, status, run }: RunView): Because | undefined {
  const { wanted } = snapshot;
  if (wanted.type === 'invalid' || wanted.run.revision !== status.revision) return undefined;
  const { onNewRevision } = wanted.run;
  const isFollowed =
    status.step === undefined || onNewRevision === 'Restart' || !isOtherTraffic(run, wanted.run);
  if (isFollowed || !isWatched(status)) return undefined;
  const message = `spec.traffic was changed while the run is under way, which goes on with its routes and Services as they were (onNewRevision: ${onNewRevision}); give it a new revision`;
  return { reason: 'TrafficNotFollowed', message };
}
