/** Stage 2, Verify: stable's health endpoint answers, and the health suite passes when it is run anew. */
import type { RollbackStage } from '#api/status.ts';
import { failedNames } from '#core/suite-findings.ts';
import { fromIso } from '#core/time.ts';
import type { RunView } from '#core/view.ts';
import { lookAtSuite } from './fresh-suite.ts';
import { type Stage, type StageLook, type StageProgress, together } from './stage.ts';

/** How often the endpoint is asked again while it does not answer well. */
const ASK_EVERY_MS = 5_000;

export const verify: Stage = {
  name: 'Verify',
  budgetMs: ({ verifyMs }) => verifyMs,
  look(view, entry) {
    const { look, actions = [] } = lookAtHealthSuite(view, entry);
    return { look: together([lookAtHealth(view, entry), look]), actions };
  },
};

/** An answer from before the stage began counts no more than one from before the rollback. */
function lookAtHealth({ run, now, ask }: RunView, entry: RollbackStage): StageLook {
  const url = run.rollback.healthUrl;
  if (url === undefined) return { type: 'skipped', message: 'no health check is configured' };
  const atMs = Math.max(fromIso(entry.startedAt), Math.floor(now / ASK_EVERY_MS) * ASK_EVERY_MS);
  const answer = ask({ type: 'probe', url, expectStatus: '2xx', atMs });
  const wakeAtMs = Math.floor(now / ASK_EVERY_MS) * ASK_EVERY_MS + ASK_EVERY_MS;
  if (answer?.type === 'samples' && answer.samples[0]?.value === 1) {
    return { type: 'succeeded', message: `${url} answers 2xx` };
  }
  const why = answer?.type === 'error' ? `: ${answer.message}` : '';
  return { type: 'waiting', message: `${url} does not answer 2xx${why}`, wakeAtMs };
}

function lookAtHealthSuite(view: RunView, entry: RollbackStage): StageProgress {
  const name = view.run.rollback.healthSuite;
  if (name === undefined) {
    return { look: { type: 'skipped', message: 'no health check is configured' } };
  }
  return lookAtSuite(
    view,
    name,
    fromIso(entry.startedAt),
    ({ total, passed, newFailures, failures }) => ({
      isGood: newFailures === 0,
      message: `suite ${name}: ${passed} of ${total} passed, ${newFailures} failed that are not known to be flaky${failedNames(failures)}`,
    }),
  );
}
