/** A rollback as people are told of it: begun, stuck, finished. */
import type { RolloutStatus } from '#api/status.ts';
import { rolledBackSentence } from '#core/rollback.ts';
import type { RunSpec } from '#core/run-spec.ts';
import { type Fact, incidentNames } from './fact.ts';

export function rollbackFacts(status: RolloutStatus, run: RunSpec | undefined): Fact[] {
  const { rollback } = status;
  if (rollback === undefined) return [];
  const terms = run?.triggers.find(({ name }) => name === rollback.trigger);
  const about = {
    severity: 'Critical',
    subject: rollback.trigger ?? rollback.reason,
    responder: terms?.responder,
    runbookUrl: terms?.runbookUrl,
    incident: incidentNames.rollback,
  } as const;
  const begun: Fact = {
    ...about,
    id: 'rollback',
    kind: 'RollbackStarted',
    at: rollback.startedAt,
    what: 'rolling back',
    text: rollback.message,
    ...(terms?.responder === undefined ? {} : { calls: 'responder' as const }),
  };
  const stuck: Fact[] =
    rollback.pagedAt === undefined
      ? []
      : [
          {
            ...about,
            id: `stuck/${rollback.pagedAt}`,
            kind: 'RollbackStuck',
            at: rollback.pagedAt,
            what: 'the rollback is stuck',
            text:
              status.holds?.find(({ reason }) => reason === 'RollbackStuck')?.message ??
              'a route does not go to 0%',
            calls: 'releaseOwner',
          },
        ];
  if (rollback.completedAt === undefined) return [begun, ...stuck];
  const isDegraded = rollback.outcome !== 'Succeeded';
  const finished: Fact = {
    ...about,
    id: 'rolled-back',
    kind: 'RollbackFinished',
    at: rollback.completedAt,
    what: isDegraded ? 'rolled back, but not every stage went well' : 'rolled back',
    text: `${rolledBackSentence(rollback)}${isDegraded ? `; outcome ${rollback.outcome}` : ''}`,
    ...(isDegraded ? { calls: 'releaseOwner' as const } : {}),
  };
  return [begun, ...stuck, finished];
}
