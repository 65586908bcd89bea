/** Holds as people are told of them: one a reason, with what is so by plan apart from what calls somebody. */
import type { NotificationKind } from '#api/notify.ts';
import type { Hold } from '#api/status.ts';
import { pagingReasons } from '#core/pages.ts';
import type { Severity } from '#core/run-spec.ts';
import { type Fact, incidentNames } from './fact.ts';

/** What stands by plan or for a moment, and calls for nobody. */
const plannedHolds: readonly string[] = [
  'Frozen',
  'SuiteAwaited',
  'ChainSuspected',
  'CheckpointWaiting',
  'TriggerNotInactive',
  'TriggerPending',
  'CanaryNotReady',
  'RouteNotSettled',
  'Paused',
];

const kindsOfHolds: Readonly<Record<string, NotificationKind>> = {
  Paused: 'Paused',
  ApprovalRequired: 'ApprovalNeeded',
  ApprovalExpired: 'ApprovalNeeded',
  CheckpointFailed: 'CheckpointFailed',
  PreflightFailed: 'PreflightFailed',
};

export function holdFact(hold: Hold): Fact {
  const { reason, by, since, message } = hold;
  const kind = kindsOfHolds[reason] ?? 'Held';
  const pages = pagingReasons.includes(reason);
  return {
    id: `hold/${reason}/${since}`,
    kind,
    severity: severityOfHold(reason),
    at: since,
    subject: by === '' ? reason : by,
    what: kind === 'Held' ? `held (${reason})` : whatOfHold(kind, by),
    text: message,
    ...(pages ? { calls: 'releaseOwner' as const } : {}),
    ...(isIncident(hold) ? { incident: incidentNames.hold(reason) } : {}),
  };
}

function whatOfHold(kind: NotificationKind, by: string): string {
  switch (kind) {
    case 'Paused':
      return 'paused';
    case 'ApprovalNeeded':
      return `${by} waits for approval`;
    case 'CheckpointFailed':
      return `checkpoint ${by} was not passed`;
    default:
      return 'preflight has found something';
  }
}

export function severityOfHold(reason: string): Severity {
  if (pagingReasons.includes(reason)) return 'Critical';
  return plannedHolds.includes(reason) ? 'Info' : 'Warning';
}

/** What a trigger's own incident says already is none of its own. */
export function isIncident({ reason }: Hold): boolean {
  return reason !== 'TriggerFiring';
}

/** The first of each reason stands for all: a broken Prometheus makes a hold for every trigger. */
export function holdsByReason(holds: readonly Hold[]): Hold[] {
  const first = new Map<string, Hold>();
  for (const hold of holds) {
    const known = first.get(hold.reason);
    if (known === undefined || hold.since < known.since) first.set(hold.reason, hold);
  }
  return [...first.values()];
}
