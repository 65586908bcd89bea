/**
 * What a status says that people may want to know. Read from the status alone and not from the events of one look, so
 * that a restart loses nothing: whatever has not been told yet still stands there.
 */
import type { RolloutStatus, TriggerStatus } from '#api/status.ts';
import { isPassing } from '#core/chain-holds.ts';
import type { RunSpec, RunTrigger } from '#core/run-spec.ts';
import { type Fact, incidentNames, type OpenIncident, overdueFact, severityOf } from './fact.ts';
import { holdFact, holdsByReason, isIncident } from './hold-facts.ts';
import { openHold, openRollback, openTrigger } from './open-incidents.ts';
import { rollbackFacts } from './rollback-facts.ts';

export interface StatusFacts {
  readonly facts: readonly Fact[];
  readonly open: readonly OpenIncident[];
}

export function factsOf(status: RolloutStatus, run: RunSpec | undefined): StatusFacts {
  if (status.runId === undefined || status.startedAt === undefined) return { facts: [], open: [] };
  const isOver = status.finishedAt !== undefined;
  const triggers = (status.triggers ?? []).map((trigger) => ({
    trigger,
    terms: run?.triggers.find(({ name }) => name === trigger.name),
  }));
  const standing = (status.holds ?? []).filter((hold) => !isPassing(hold));
  const holds = isOver || status.rollback !== undefined ? [] : holdsByReason(standing);
  const firing = isOver ? [] : triggers.filter(({ trigger }) => trigger.firingAt !== undefined);
  return {
    facts: [
      started(status),
      ...steps(status),
      ...triggers.flatMap(({ trigger, terms }) => triggerFacts(trigger, terms)),
      ...holds.map((hold) => holdFact(hold)),
      ...drift(status),
      ...extensions(status),
      ...rollbackFacts(status, run),
      ...ending(status),
    ],
    open: [
      ...firing.flatMap(({ trigger, terms }) => openTrigger(status, trigger, terms)),
      ...holds.filter(isIncident).map((hold) => openHold(status, hold)),
      ...openRollback(status),
    ],
  };
}

function started(status: RolloutStatus): Fact {
  const { revision = '', startedAt = '', endsAt, replacedRevision } = status;
  const end = endsAt === undefined ? '' : `; the end is due at ${endsAt}`;
  const instead = replacedRevision === undefined ? '' : ` in place of ${replacedRevision}`;
  return {
    id: 'started',
    kind: 'RunStarted',
    severity: 'Info',
    at: startedAt,
    subject: '',
    what: 'the run has started',
    text: `rollout of ${revision}${instead} started at ${startedAt}${end}`,
  };
}

function steps(status: RolloutStatus): Fact[] {
  const plan = status.plan ?? [];
  return plan.flatMap((point, index): Fact[] => {
    const { kind, name, passedAt, weight } = point;
    if (passedAt === undefined || kind === 'End') return [];
    const next = plan[index + 1];
    const ahead = next === undefined ? '' : `; next is ${next.name}, due at ${next.dueAt}`;
    const about = { at: passedAt, subject: name, severity: 'Info' as const };
    return kind === 'Step'
      ? [
          {
            ...about,
            id: `step/${name}`,
            kind: 'StepEntered',
            what: `step ${name} (${weight ?? 0}%)`,
            text: `every route was read back at ${weight ?? 0}% for step ${name}${ahead}`,
          },
        ]
      : [
          {
            ...about,
            id: `checkpoint/${name}`,
            kind: 'CheckpointPassed',
            what: `checkpoint ${name} passed`,
            text: `checkpoint ${name} was passed${ahead}`,
          },
        ];
  });
}

function triggerFacts(trigger: TriggerStatus, terms: RunTrigger | undefined): Fact[] {
  const { name, state, activeAt, firingAt, overdueAt, message } = trigger;
  const text = message ?? `${name} is ${state}`;
  const severity = severityOf(trigger.severity);
  const { responder, runbookUrl } = terms ?? {};
  const about = { severity, subject: name, text, responder, runbookUrl };
  const incident = incidentNames.trigger(name);
  if (firingAt === undefined) {
    return state === 'Pending' && activeAt !== undefined
      ? [
          {
            ...about,
            id: `pending/${name}/${activeAt}`,
            kind: 'TriggerPending',
            at: activeAt,
            what: `trigger ${name} is pending`,
          },
        ]
      : [];
  }
  const firing = { ...about, kind: 'TriggerFiring', what: `trigger ${name} fires` } as const;
  const rungs = (trigger.responses ?? []).flatMap(({ action, rung, at }): Fact[] =>
    action === 'Notify'
      ? [{ ...firing, id: `notify/${name}/${at}/${rung}`, at, calls: 'responder', incident }]
      : [],
  );
  const overdue: Fact[] =
    overdueAt === undefined ? [] : [{ ...overdueFact(incident, firingAt, firing), at: overdueAt }];
  return [
    { ...firing, id: `firing/${name}/${firingAt}`, at: firingAt, incident },
    ...rungs,
    ...overdue,
  ];
}

function drift({ routes = [] }: RolloutStatus): Fact[] {
  return routes.flatMap(({ kind, name, drift: count = 0, weight }): Fact[] =>
    count === 0
      ? []
      : [
          {
            id: `drift/${kind}/${name}/${count}`,
            kind: 'DriftDetected',
            severity: 'Warning',
            // When, only the event says; the operator tells it as soon as it is seen.
            at: '',
            subject: `${kind}/${name}`,
            what: `another writer changed ${kind}/${name}`,
            text: `another writer changed the weights of ${kind}/${name} (${count} times in this run); canary reads ${weight ?? 'an unknown share'}${weight === undefined ? '' : '%'}`,
          },
        ],
  );
}

function extensions({ extensions: all = [] }: RolloutStatus): Fact[] {
  return all.map(({ at, by, reason, until }) => ({
    id: `extended/${at}`,
    kind: 'Extended' as const,
    severity: 'Warning' as const,
    at,
    subject: 'end',
    what: 'the end was moved',
    text: `the end was moved to ${until} by ${by}: ${reason}`,
  }));
}

function ending(status: RolloutStatus): Fact[] {
  const { finishedAt, phase, message = '', revision } = status;
  if (finishedAt === undefined || phase !== 'Succeeded') return [];
  return [
    {
      id: 'succeeded',
      kind: 'Succeeded',
      severity: 'Info',
      at: finishedAt,
      subject: '',
      what: 'succeeded',
      text: message === '' ? `rollout of ${revision} has succeeded` : message,
    },
  ];
}
