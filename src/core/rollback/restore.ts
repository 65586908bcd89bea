/** Stage 3, Restore: hooks put right what is not traffic. Those of StopTraffic run beside it and are waited for here. */
import type { Stage } from './stage.ts';

export const restore: Stage = {
  name: 'Restore',
  budgetMs: ({ restoreMs }) => restoreMs,
  look: () => ({ look: { type: 'skipped', message: 'no hook is configured' } }),
};
