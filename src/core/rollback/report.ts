/** Stage 5, Report: what happened is written down. */
import type { Stage } from './stage.ts';

export const report: Stage = {
  name: 'Report',
  budgetMs: ({ reportMs }) => reportMs,
  look: () => ({ look: { type: 'skipped', message: 'the status and its events are the report' } }),
};
