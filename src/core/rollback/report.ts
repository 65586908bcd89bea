/**
 * Stage 5, Report: what happened is written down. The incident report names the end of the rollback too, so it is
 * written with the end and asked for until it is there; nobody waits for it.
 */
import type { Stage } from './stage.ts';

export const report: Stage = {
  name: 'Report',
  budgetMs: ({ reportMs }) => reportMs,
  look: ({ snapshot }) => ({
    look:
      snapshot.evidence === undefined
        ? { type: 'skipped', message: 'no evidence is kept' }
        : { type: 'succeeded', message: 'the incident report is written as the run ends' },
  }),
};
