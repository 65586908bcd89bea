/**
 * The spec cannot be followed and there is no run: traffic is not touched. A run under way goes on under
 * the spec it was started with, so a broken edit never loosens the watch.
 */
import { phaseOf, type Rule } from './rule.ts';

export const invalid: Rule = {
  name: 'invalid',
  when: 'the spec is invalid and there is no run to go on with',
  apply({ snapshot, view }) {
    if (snapshot.wanted.type === 'ok' || view !== undefined) return undefined;
    const { reason = 'InvalidSpec', problems } = snapshot.wanted;
    return {
      because: { reason, message: problems.join('; ') },
      phase: snapshot.status.runId === undefined ? 'Pending' : phaseOf(snapshot.status),
      status: snapshot.status,
      leavesTraffic: true,
    };
  },
};
