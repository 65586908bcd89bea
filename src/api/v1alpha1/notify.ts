/** `spec.notify[]`: who is told what. Channels are set once, in the operator's configuration. */
import { z } from 'zod';
import { limits } from './limits.ts';
import { atomicList, name, setOf } from './scalars.ts';
import { severities } from './trigger.ts';
import type { Plain } from './twin.ts';

/** What can be told, with a sentence for the reference. */
export const notificationKinds = {
  RunStarted: 'A run started.',
  PreflightFailed: 'Preflight found something.',
  StepEntered: 'The weight of a step has been read back.',
  CheckpointPassed: 'A checkpoint was passed.',
  CheckpointFailed: 'A checkpoint was not passed.',
  ApprovalNeeded: 'A step waits for people.',
  Held: 'The rollout no longer advances.',
  Released: 'It may advance again.',
  Paused: 'A person paused it.',
  Resumed: 'A person resumed it.',
  TriggerPending: 'A condition became true.',
  TriggerFiring: 'A trigger has held for its time.',
  TriggerResolved: 'A trigger no longer fires.',
  ResponseOverdue: 'Nobody answered within `respondWithin`.',
  DriftDetected: 'Somebody else changed a weight.',
  Extended: '`end` moved because a criterion was missed.',
  RollbackStarted: 'Traffic is going back to stable.',
  RollbackStuck: 'A route does not go to 0.',
  RollbackFinished: 'The rollback is complete.',
  Succeeded: 'The rollout succeeded.',
  LookDue: 'By the schedule of the operator it is time to look.',
  Digest: 'The regular summary, with the checklist or with trends.',
} as const;

export type NotificationKind = keyof typeof notificationKinds;

/** In the order of the reference. */
export const notificationKindNames = Object.keys(notificationKinds) as readonly NotificationKind[];

export const notifySchema = z.object({
  channel: name("The name of a channel of the operator's configuration."),
  events: setOf(z.enum(notificationKindNames), notificationKindNames.length, 1)
    .describe('What is told. Without it: everything.')
    .optional(),
  minSeverity: z.enum(severities).describe('Only from this severity on.').optional(),
});

export const notifyListSchema = atomicList(notifySchema, limits.notifyMax).describe(
  'Who is told what.',
);

export type Notify = Plain<z.output<typeof notifySchema>>;
