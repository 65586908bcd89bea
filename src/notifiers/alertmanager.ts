/**
 * Alertmanager v2: an open incident is an alert that is posted again and again until it is closed, each time with an
 * end that lies ahead, so that it resolves by itself should we be gone. What is no incident is an alert of five minutes.
 */
import { alertsPath, toWire } from '#alertmanager/wire.ts';
import type { Clock } from '#ports/clock.ts';
import type { FiredAlert } from '#ports/monitoring-systems.ts';
import type {
  ChannelDefinition,
  Message,
  Notifier,
  ReadSecret,
  SendOutcome,
} from '#ports/notifier.ts';
import { failureText } from './failure.ts';
import { authorization, createHttp, type Http, outcomeOf, type Post } from './http.ts';
import { plainText } from './text.ts';

type AlertmanagerChannel = Extract<ChannelDefinition, { type: 'alertmanager' }>;

/** Several times the pause between two posts: one that is lost resolves nothing. */
const LASTS_MS = 5 * 60_000;

export function createAlertmanager(
  definition: AlertmanagerChannel,
  readSecret: ReadSecret,
  clock: Pick<Clock, 'now'>,
): Notifier {
  const http = createHttp(definition, readSecret);
  return {
    definition,
    close: () => http.close(),
    async send(message, signal) {
      const auth = await authorization(definition.credentials, readSecret, signal);
      const body = JSON.stringify([toWire(alert(message, clock.now()))]);
      const headers = { 'content-type': 'application/json', ...auth };
      const outcomes = await Promise.all(
        definition.urls.map((url) => postTo(http, { url: alertsUrl(url), headers, body }, signal)),
      );
      return together(outcomes);
    },
  };
}

function alertsUrl(url: string): string {
  return `${url.replace(/\/+$/, '')}${alertsPath}`;
}

/** One replica that is gone must not keep the others from being told. */
async function postTo(http: Http, post: Post, signal: AbortSignal): Promise<SendOutcome> {
  try {
    return outcomeOf(await http.post(post, signal));
  } catch (error) {
    if (signal.aborted) throw error;
    return { type: 'later', message: failureText(error) };
  }
}

/** One replica that knows it is enough: alerts are posted again, and the others get their turn. */
function together(outcomes: readonly SendOutcome[]): SendOutcome {
  const sent = outcomes.find(({ type }) => type === 'sent');
  if (sent !== undefined) return sent;
  const later = outcomes.find(({ type }) => type === 'later');
  return later ?? outcomes[0] ?? { type: 'never', message: 'no Alertmanager is named' };
}

/** Labels say which alert it is, so nothing stands in them that may change while it is open. */
function alert(message: Message, nowMs: number): FiredAlert {
  const { kind, severity, namespace, rollout, revision, subject, incident } = message;
  const isClosed = incident?.state === 'Closed';
  return {
    labels: {
      alertname: `Genesis${kind}`,
      severity: severity.toLowerCase(),
      namespace,
      rollout,
      ...(subject === '' ? {} : { subject }),
    },
    annotations: {
      summary: message.title,
      // A report has no place in an alert.
      description: plainText({ ...message, body: undefined }),
      revision,
      ...(message.runbookUrl === undefined ? {} : { runbook_url: message.runbookUrl }),
    },
    startsAtMs: Date.parse(incident?.openedAt ?? message.at),
    endsAtMs: isClosed ? nowMs : nowMs + LASTS_MS,
  };
}
