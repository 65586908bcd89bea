/**
 * Stage 5, Report: what happened is written down while people still look at it. The last word, with the times of
 * this stage itself, follows when the run has ended.
 */
import { reportAction } from '#core/evidence.ts';
import type { Stage } from './stage.ts';

const RETRY_MS = 1000;

export const report: Stage = {
  name: 'Report',
  budgetMs: ({ reportMs }) => reportMs,
  look: (view) => {
    const { snapshot, now, status } = view;
    const { evidence } = snapshot;
    const wakeAtMs = now + RETRY_MS;
    if (evidence === undefined) {
      const message = 'what is kept of this run has not been read yet';
      return { look: { type: 'waiting', message, wakeAtMs } };
    }
    if (evidence.report === 'notKept') {
      const message = 'the status and its events are the report: nothing else is kept';
      return { look: { type: 'skipped', message } };
    }
    if (evidence.report !== 'none') {
      return { look: { type: 'succeeded', message: `the report is ${evidence.reportAt}` } };
    }
    const message = `writing ${evidence.reportAt}`;
    return { look: { type: 'waiting', message, wakeAtMs }, actions: [reportAction(view, status)] };
  },
};
