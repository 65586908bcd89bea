/**
 * The run has ended: its end state goes on being asserted. After a rollback ownership is given up once the
 * route's own owner declares 0 as well; until then letting go would bring canary back.
 */
import type { RolloutStatus } from '#api/status.ts';
import { isWatched, type RunView } from '#core/view.ts';
import type { Rule } from './rule.ts';

export const finished: Rule = {
  name: 'finished',
  when: 'the run has ended and no other has begun',
  apply({ view }) {
    if (view === undefined || isWatched(view.status)) return undefined;
    const phase = view.status.phase === 'Succeeded' ? 'Succeeded' : 'RolledBack';
    const last = view.status.history?.[0];
    return {
      because: {
        reason: phase === 'Succeeded' ? 'Completed' : 'RolledBack',
        message: last?.message ?? view.status.message ?? phase,
      },
      phase,
      status: phase === 'RolledBack' ? releasing(view) : view.status,
    };
  },
};

function releasing(view: RunView): RolloutStatus {
  const routes = view.status.routes?.map((route) =>
    route.declared === 0 && route.weight === 0 ? { ...route, released: true } : route,
  );
  return routes === undefined ? view.status : { ...view.status, routes };
}
