/** From the settings of notifications to channels and to the policy that the engine's side reads. */
import type { NoticePolicy } from '#core/notices/policy.ts';
import type {
  ChannelConnection,
  ChannelDefinition,
  Credentials,
  SecretReference,
} from '#ports/notifier.ts';
import type { ChannelSettings, NotificationSettings, SecretSettings } from './notifications.ts';

export interface Notifications {
  readonly channels: readonly ChannelDefinition[];
  readonly policy: NoticePolicy;
}

/** Those that keep an incident until it is closed. */
const keepers: readonly ChannelDefinition['type'][] = ['pagerDuty', 'alertmanager'];

export function toNotifications({
  channels: settings,
  routing,
  schedule,
}: NotificationSettings): Notifications {
  const channels = settings.map(toChannel);
  const keeping = channels.filter(({ type }) => keepers.includes(type));
  return {
    channels,
    policy: {
      channels: new Set(channels.map(({ name }) => name)),
      incidentChannels: new Set(keeping.map(({ name }) => name)),
      routing,
      schedule: schedule.map(({ until, lookEvery, digestEvery, answerWithin }) => ({
        untilMs: until,
        lookEveryMs: lookEvery,
        digestEveryMs: digestEvery,
        answerWithinMs: { Critical: answerWithin.critical, Warning: answerWithin.warning },
      })),
    },
  };
}

/** The schema has seen to it that exactly one kind is set. */
function toChannel(settings: ChannelSettings): ChannelDefinition {
  const { name, slack, pagerDuty, email, alertmanager, webhook } = settings;
  const common = { name, ...connectionOf(settings) };
  if (slack !== undefined) return { ...common, type: 'slack', by: slackBy(slack) };
  if (pagerDuty !== undefined) {
    const { routingKey, url, changeUrl } = pagerDuty;
    return { ...common, type: 'pagerDuty', routingKey: reference(routingKey), url, changeUrl };
  }
  if (email !== undefined) {
    const { username, password, ...server } = email;
    const credentials =
      username === undefined || password === undefined
        ? {}
        : { credentials: { username, password: reference(password) } };
    return { ...common, type: 'email', ...server, ...credentials };
  }
  if (alertmanager !== undefined) {
    const credentials = credentialsOf(alertmanager);
    const { urls } = alertmanager;
    return { ...common, type: 'alertmanager', urls, ...(credentials && { credentials }) };
  }
  if (webhook === undefined) throw new Error(`channel ${name} has no kind`);
  return { ...common, type: 'webhook', url: webhook.url, secret: reference(webhook.secret) };
}

function connectionOf({ tls, proxyUrl }: ChannelSettings): ChannelConnection {
  const { ca, serverName, insecureSkipVerify } = tls;
  return {
    tls: {
      insecureSkipVerify,
      ...(ca === undefined ? {} : { ca: reference(ca) }),
      ...(serverName === undefined ? {} : { serverName }),
    },
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
  };
}

function slackBy({
  webhookUrl,
  token,
  channel = '',
  apiUrl,
}: NonNullable<ChannelSettings['slack']>) {
  if (webhookUrl !== undefined) return { type: 'webhook', url: reference(webhookUrl) } as const;
  if (token === undefined) throw new Error('a Slack channel has neither webhookUrl nor token');
  return { type: 'token', token: reference(token), channel, apiUrl } as const;
}

function credentialsOf({
  bearerToken,
  username,
  password,
}: NonNullable<ChannelSettings['alertmanager']>): Credentials | undefined {
  if (bearerToken !== undefined) return { type: 'bearer', token: reference(bearerToken) };
  if (username === undefined || password === undefined) return undefined;
  return { type: 'basic', username, password: reference(password) };
}

function reference({ secret, file }: SecretSettings): SecretReference {
  if (secret !== undefined) return { type: 'secret', ...secret };
  if (file === undefined) throw new Error('a secret names neither a Secret nor a file');
  return { type: 'file', path: file };
}
