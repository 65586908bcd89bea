/** From a fact to the message about it. */
import type { RolloutStatus } from '#api/status.ts';
import type { Fact } from './fact.ts';
import type { Incident, Message, MessageDetail } from './message.ts';

export interface About {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly status: RolloutStatus;
  /** A digest of a text in hex. */
  readonly hash: (text: string) => string;
}

export function compose(
  fact: Fact,
  at: string,
  incident: Omit<Incident, 'key'> | undefined,
  about: About,
): Message {
  const { namespace, name, uid, status, hash } = about;
  const { revision = '', runId = '' } = status;
  return {
    id: hash(`${uid}/${runId}/${fact.id}`),
    kind: fact.kind,
    severity: fact.severity,
    at,
    namespace,
    rollout: name,
    revision,
    runId,
    subject: fact.subject,
    title: `${namespace}/${name} ${revision}: ${fact.what}`,
    text: fact.text,
    details: detailsOf(fact, status),
    ...(fact.body === undefined ? {} : { body: fact.body }),
    ...(fact.runbookUrl === undefined ? {} : { runbookUrl: fact.runbookUrl }),
    ...(incident === undefined || fact.incident === undefined
      ? {}
      : { incident: { ...incident, key: incidentKey(about, fact.incident) } }),
  };
}

/** Of one run: the same trigger in the next run is another incident. */
export function incidentKey({ namespace, name, status }: About, incident: string): string {
  return `genesis/${namespace}/${name}/${status.runId ?? ''}/${incident}`;
}

function detailsOf({ responder, at }: Fact, status: RolloutStatus): MessageDetail[] {
  const { phase, weight, step, nextStepAt } = status;
  const details: readonly (readonly [string, string | undefined])[] = [
    ['Phase', phase],
    ['Canary', weight === undefined ? undefined : `${weight}%`],
    ['Step', step],
    ['Next step', nextStepAt],
    ['Since', at === '' ? undefined : at],
    ['Responder', responder],
  ];
  return details.flatMap(([label, value]) => (value === undefined ? [] : [{ label, value }]));
}
