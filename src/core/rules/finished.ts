/**
 * The run has ended: its end state goes on being asserted. After a rollback ownership is given up once the
 * route's own owner declares 0 as well; until then letting go would bring canary back.
 */
import type { RolloutStatus, RouteStatus } from '#api/status.ts';
import { workloadsBehind } from '#core/restarts.ts';
import { rolledBackSentence } from '#core/rollback.ts';
import { allRead, desiredWeight } from '#core/traffic.ts';
import { isWatched, type RunView } from '#core/view.ts';
import type { Rule } from './rule.ts';

/** Changes wake us; this is for what no change tells, such as a write that was refused. */
const RETRY_MS = 10_000;

export const finished: Rule = {
  name: 'finished',
  when: 'the run has ended and no other has begun',
  apply({ view }) {
    if (view === undefined || isWatched(view.status)) return undefined;
    const phase = view.status.phase === 'Succeeded' ? 'Succeeded' : 'RolledBack';
    return {
      because: {
        reason: phase === 'Succeeded' ? 'Completed' : 'RolledBack',
        message: sentenceOf(view.status) ?? phase,
      },
      phase,
      status: phase === 'RolledBack' ? releasing(view) : view.status,
      ...(isThere(view) ? {} : { wakeAtMs: view.now + RETRY_MS }),
    };
  },
};

/** The one that it ended with: what has come to rest is not told in other words. */
function sentenceOf({ phase, rollback, history, message }: RolloutStatus): string | undefined {
  if (phase === 'RolledBack' && rollback?.completedAt !== undefined) {
    return rolledBackSentence(rollback);
  }
  return history?.[0]?.message ?? message;
}

function isThere(view: RunView): boolean {
  const { run, status, snapshot } = view;
  if (workloadsBehind(view, status).length > 0) return false;
  const desired = desiredWeight(run, status);
  return desired === undefined || allRead(snapshot.routes, desired);
}

/**
 * Only what reads 0 now and is declared to be 0 is let go. A route that canary was cut out of stays ours: letting
 * go would put it back, and with it the sessions it was cut off from.
 */
function releasing({ status, snapshot }: RunView): RolloutStatus {
  const isAtRest = (route: RouteStatus) =>
    snapshot.routes.some(
      ({ target, reading }) =>
        target.kind === route.kind &&
        target.name === route.name &&
        reading.type === 'read' &&
        reading.weight === 0 &&
        reading.uniform &&
        !reading.isolated,
    );
  const routes = status.routes?.map((route) =>
    route.declared === 0 && route.weight === 0 && isAtRest(route)
      ? { ...route, released: true }
      : route,
  );
  return routes === undefined ? status : { ...status, routes };
}
