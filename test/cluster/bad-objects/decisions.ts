/** Decisions that are refused. */
import { absent } from './patch.ts';
import { type BadObject, malformed } from './row.ts';

export const badDecisions: readonly BadObject[] = [
  malformed('a decision that is none', 'spec.decision', 'Approved', {
    server: ['Unsupported value: "Approved"', '"Approve", "Reject", "Promote"'],
    operator: ['"Approved" is not one of Approve, Reject, Promote'],
  }),
  malformed('a decision by nobody', 'spec.by', absent, {
    server: ['Required value'],
    operator: ['is required'],
  }),
  malformed('a decision about no rollout', 'spec.rollout', absent, {
    server: ['Required value'],
    operator: ['is required'],
  }),
  malformed('a decision about no revision', 'spec.revision', absent, {
    server: ['Required value'],
    operator: ['is required'],
  }),
  malformed('an expiry that is no time', 'spec.expiresAt', 'tomorrow', {
    server: ['"tomorrow"', 'date-time'],
    operator: ['"tomorrow" is not a time such as 2026-11-22T04:10:00Z'],
  }),
  {
    name: 'an approval of no step',
    patch: { 'spec.step': absent },
    server: { field: 'spec', says: ['decision Approve needs step, the name of the step'] },
    operator: { path: 'spec.step', rule: 'decision-step', says: ['decision Approve needs step'] },
  },
  {
    name: 'an acknowledgement of no trigger',
    patch: { 'spec.step': absent, 'spec.decision': 'Acknowledge' },
    server: { field: 'spec', says: ['decision Acknowledge needs step, the name of the trigger'] },
    operator: {
      path: 'spec.step',
      rule: 'decision-step',
      says: ['needs step, the name of the trigger'],
    },
  },
  {
    name: 'a pause of one step',
    patch: { 'spec.decision': 'Pause' },
    server: { field: 'spec', says: ['decision Pause has no step: leave step out'] },
    operator: { path: 'spec.step', rule: 'decision-step', says: ['decision Pause has no step'] },
  },
];
