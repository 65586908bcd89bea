/** Who is told: channels, who is called by which name, and how soon people must look and answer. */
import { z } from 'zod';
import { durationPattern, formatDuration, parseDuration } from '#api/duration.ts';
import { notificationKindNames } from '#api/notify.ts';
import { namePattern, objectNamePattern } from '#api/scalars.ts';
import { severities } from '#api/trigger.ts';
import { nearest } from '#runtime/nearest.ts';
import { file, whole } from './scalars.ts';
import { serverIdentity } from './server-identity.ts';

const httpUrl = (meaning: string) =>
  z
    .string()
    .refine((value) => /^https?:$/.test(protocolOf(value)), {
      message: 'it is no URL of the form https://host[:port][/path]',
    })
    .refine((value) => !URL.canParse(value) || new URL(value).username === '', {
      message: 'it contains a user or password; they belong into a Secret or a file',
    })
    .describe(meaning);

function protocolOf(value: string): string {
  return URL.canParse(value) ? new URL(value).protocol : '';
}

/** Never the secret itself: a configuration is shown, copied and committed. */
const secret = (meaning: string) =>
  z
    .strictObject({
      secret: z
        .strictObject({
          name: z.string().regex(objectNamePattern).describe('The name of the Secret.'),
          key: z.string().min(1).max(253).describe('Its entry.'),
        })
        .describe("A Secret in the operator's own namespace.")
        .optional(),
      file: file('A file.').optional(),
    })
    .refine((one) => (one.secret === undefined) !== (one.file === undefined), {
      message: 'set exactly one of secret, file',
    })
    .describe(meaning);

const slack = z
  .strictObject({
    webhookUrl: secret('The URL of an incoming webhook.').optional(),
    token: secret('A bot token with chat:write.').optional(),
    channel: z.string().min(1).describe('With a token: the id of the conversation.').optional(),
    apiUrl: httpUrl('With a token: where the Web API is.').default('https://slack.com/api'),
  })
  .refine((one) => (one.webhookUrl === undefined) !== (one.token === undefined), {
    message: 'set exactly one of webhookUrl, token',
  })
  .refine((one) => (one.token === undefined) === (one.channel === undefined), {
    message: 'token and channel go together; only one of them is set',
  });

const pagerDuty = z.strictObject({
  routingKey: secret('The integration key of an Events API v2 integration.'),
  url: httpUrl('Where incidents go.').default('https://events.pagerduty.com/v2/enqueue'),
  changeUrl: httpUrl('Where what is no incident goes, as a change event.').default(
    'https://events.pagerduty.com/v2/change/enqueue',
  ),
});

const address = z
  .string()
  .regex(/^[^\r\n]*[^\s@<]@[^\s@>]+>?$/)
  .max(320);

const email = z
  .strictObject({
    host: z.string().min(1).describe('The SMTP server.'),
    port: whole(1, 65_535, 'Its port.').default(587),
    encryption: z
      .enum(['StartTls', 'Tls', 'None'])
      .default('StartTls')
      .describe('StartTls is required and not only tried; Tls begins with the first byte.'),
    from: address.describe('The sender.'),
    to: z.array(address).min(1).max(64).describe('Everybody who gets it.'),
    username: z.string().min(1).describe('The user of the login.').optional(),
    password: secret('The password of the login.').optional(),
  })
  .refine((one) => (one.username === undefined) === (one.password === undefined), {
    message: 'username and password go together; only one of them is set',
  })
  .refine((one) => one.password === undefined || one.encryption !== 'None', {
    message: 'a password is not sent without encryption: set encryption to StartTls or Tls',
  });

const alertmanager = z
  .strictObject({
    urls: z
      .array(httpUrl(''))
      .min(1)
      .max(8)
      .describe('Every replica: they do not tell each other of alerts.'),
    bearerToken: secret('A bearer token.').optional(),
    username: z.string().min(1).describe('The user of basic authentication.').optional(),
    password: secret('Its password.').optional(),
  })
  .refine((one) => (one.username === undefined) === (one.password === undefined), {
    message: 'username and password go together; only one of them is set',
  })
  .refine((one) => one.bearerToken === undefined || one.password === undefined, {
    message: 'set at most one of bearerToken, password',
  });

const webhook = z.strictObject({
  url: httpUrl('Where CloudEvents are posted.'),
  secret: secret('The key of the signature in x-genesis-signature.'),
});

const kinds = ['slack', 'pagerDuty', 'email', 'alertmanager', 'webhook'] as const;

const channel = z
  .strictObject({
    name: z.string().regex(namePattern).describe('As rollouts name it.'),
    slack: slack.describe('Slack.').optional(),
    pagerDuty: pagerDuty.describe('PagerDuty.').optional(),
    email: email.describe('E-mail over SMTP.').optional(),
    alertmanager: alertmanager.describe('Alertmanager.').optional(),
    webhook: webhook.describe('A signed webhook.').optional(),
    tls: z
      .strictObject({
        ca: secret("The certificate authority of the server's certificate, PEM.").optional(),
        ...serverIdentity,
      })
      .describe('How the server is known.')
      .prefault({}),
    proxyUrl: httpUrl('An HTTP proxy on the way to the server; not for e-mail.').optional(),
  })
  .refine((one) => kinds.filter((kind) => one[kind] !== undefined).length === 1, {
    message: `set exactly one of ${kinds.join(', ')}`,
  });

const subscription = z.strictObject({
  channel: z.string().describe('The name of a channel.'),
  events: z
    .array(z.enum(notificationKindNames))
    .min(1)
    .describe('What is told. Without it: everything.')
    .optional(),
  minSeverity: z.enum(severities).describe('Only from this severity on.').optional(),
});

const names = z.array(z.string()).max(16);

const routing = z.strictObject({
  default: z
    .array(subscription)
    .max(16)
    .default([])
    .describe('For rollouts that have no `spec.notify`: `{channel, events, minSeverity}`.'),
  responders: z
    .record(z.string().min(1), names.min(1))
    .default({})
    .describe('Channels by responder, as triggers name them: `hudson: [pagerduty]`.'),
  releaseOwner: names
    .default([])
    .describe('Channels that are called when nobody has answered, and for pages of the operator.'),
});

const span = (meaning: string) =>
  z.string().regex(durationPattern).transform(parseDuration).describe(meaning);

const watch = z
  .strictObject({
    until: span("How long this holds, from the run's start."),
    lookEvery: span('How often people look; what is unanswered is told again as often.'),
    digestEvery: span('How often there is a summary.'),
    answerWithin: z.strictObject({
      critical: span('How soon somebody must answer what is critical.'),
      warning: span('The same for warnings.'),
    }),
  })
  .superRefine((one, context) => {
    for (const field of ['lookEvery', 'digestEvery'] as const) {
      if (one[field] >= MINUTE) continue;
      const message = `${formatDuration(one[field])} is shorter than 1m`;
      context.addIssue({ code: 'custom', path: [field], message });
    }
  });

const MINUTE = 60_000;

/** The plan of the first users: close in the first day, less so in the second. */
const defaultSchedule = [
  {
    until: '24h',
    lookEvery: '30m',
    digestEvery: '1h',
    answerWithin: { critical: '5m', warning: '30m' },
  },
  {
    until: '48h',
    lookEvery: '2h',
    digestEvery: '2h',
    answerWithin: { critical: '15m', warning: '1h' },
  },
];

export const notificationsSchema = z
  .strictObject({
    channels: z.array(channel).max(64).default([]).describe('Every way to tell people.'),
    routing: routing.describe('Who is told what.').prefault({}),
    schedule: z
      .array(watch)
      .max(16)
      .prefault(defaultSchedule)
      .describe('How closely people watch, in parts of a run from its start.'),
  })
  .superRefine(({ channels, routing: routes, schedule }, context) => {
    const refuse = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    const known = channels.map(({ name }) => name);
    for (const [index, name] of known.entries()) {
      if (known.indexOf(name) < index) {
        refuse(
          ['channels', index, 'name'],
          `${JSON.stringify(name)} is the name of another channel`,
        );
      }
    }
    const check = (path: (string | number)[], name: string): void => {
      const problem = channelProblem(name, known);
      if (problem !== undefined) refuse(path, `${JSON.stringify(name)} ${problem}`);
    };
    for (const [index, { channel: name }] of routes.default.entries()) {
      check(['routing', 'default', index, 'channel'], name);
    }
    for (const [index, name] of routes.releaseOwner.entries()) {
      check(['routing', 'releaseOwner', index], name);
    }
    for (const [responder, list] of Object.entries(routes.responders)) {
      for (const [index, name] of list.entries()) {
        check(['routing', 'responders', responder, index], name);
      }
    }
    for (const [index, { until }] of schedule.entries()) {
      const before = schedule[index - 1];
      if (before !== undefined && until <= before.until) {
        refuse(
          ['schedule', index, 'until'],
          `${formatDuration(until)} must be later than that of the part before, ${formatDuration(before.until)}`,
        );
      }
    }
  });

/** As the end of a sentence; undefined for a channel that there is. */
export function channelProblem(name: string, known: readonly string[]): string | undefined {
  if (known.includes(name)) return undefined;
  const guess = nearest(name, known);
  const hint = guess === undefined ? '' : `; did you mean ${guess}?`;
  const list = known.length === 0 ? 'none is configured' : `there are ${known.join(', ')}`;
  return `is no channel of the operator's configuration: ${list}${hint}`;
}

export type NotificationSettings = z.output<typeof notificationsSchema>;
export type ChannelSettings = NotificationSettings['channels'][number];
export type SecretSettings = {
  readonly secret?: { readonly name: string; readonly key: string } | undefined;
  readonly file?: string | undefined;
};
