/**
 * PagerDuty Events API v2: what has an incident is triggered, acknowledged and resolved under one dedup_key; what has
 * none is a change event. https://developer.pagerduty.com/docs/events-api-v2/
 */
import type { ChannelDefinition, Message, Notifier, ReadSecret } from '#ports/notifier.ts';
import { createHttp, outcomeOf } from './http.ts';
import { cut } from './text.ts';

type PagerDutyChannel = Extract<ChannelDefinition, { type: 'pagerDuty' }>;

const SUMMARY_MAX = 1_024;
const DEDUP_KEY_MAX = 255;

const actions = { Open: 'trigger', Acknowledged: 'acknowledge', Closed: 'resolve' } as const;
const severities = { Critical: 'critical', Warning: 'warning', Info: 'info' } as const;

export function createPagerDuty(definition: PagerDutyChannel, readSecret: ReadSecret): Notifier {
  const http = createHttp(definition, readSecret);
  return {
    definition,
    close: () => http.close(),
    async send(message, signal) {
      const routingKey = await readSecret(definition.routingKey, signal);
      const { incident } = message;
      const event =
        incident === undefined ? changeEvent(message) : incidentEvent(message, incident);
      const post = {
        url: incident === undefined ? definition.changeUrl : definition.url,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ routing_key: routingKey, ...event }),
      };
      return outcomeOf(await http.post(post, signal));
    },
  };
}

function incidentEvent(message: Message, incident: NonNullable<Message['incident']>): object {
  const dedupKey = incident.key.slice(0, DEDUP_KEY_MAX);
  const action = actions[incident.state];
  if (action !== 'trigger') return { event_action: action, dedup_key: dedupKey };
  return {
    event_action: action,
    dedup_key: dedupKey,
    client: 'Genesis Rollout',
    payload: {
      ...payload(message),
      severity: severities[message.severity],
      component: message.subject === '' ? message.rollout : message.subject,
      group: `${message.namespace}/${message.rollout}`,
      class: message.kind,
    },
    ...links(message),
  };
}

function changeEvent(message: Message): object {
  return { payload: payload(message), ...links(message) };
}

function payload(message: Message): object {
  const { title, text, at, namespace, rollout, details, body, id } = message;
  return {
    summary: cut(`${title}: ${text}`, SUMMARY_MAX),
    source: `genesisrollout/${namespace}/${rollout}`,
    timestamp: at,
    custom_details: {
      ...Object.fromEntries(details.map(({ label, value }) => [label, value])),
      message: text,
      id,
      ...(body === undefined ? {} : { report: cut(body, 50_000) }),
    },
  };
}

function links({ runbookUrl }: Message): object {
  return runbookUrl === undefined ? {} : { links: [{ href: runbookUrl, text: 'Runbook' }] };
}
