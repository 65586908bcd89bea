/** Messages and channels for tests, whole by default. */
import type { ChannelDefinition, Message, ReadSecret, SecretReference } from '#ports/notifier.ts';

export const firing: Message = {
  id: '5f0c4e0d9e3e4ab1b4f1c7d2a9b8c7d6',
  kind: 'TriggerFiring',
  severity: 'Critical',
  at: '2026-11-22T12:09:10.000Z',
  namespace: 'shop',
  rollout: 'checkout',
  revision: 'v2',
  runId: '7f3a',
  subject: 'error-rate',
  title: 'shop/checkout v2: trigger error-rate fires',
  text: 'error-rate 7.2% > 0.5% for 5m0s since 12:04:10 (query sum(rate(a{b="<c>"}[5m])) & more)',
  details: [
    { label: 'Weight', value: '50%' },
    { label: 'Responder', value: 'hudson' },
  ],
  runbookUrl: 'https://runbooks.example.com/error-rate',
  incident: {
    key: 'genesis/shop/checkout/7f3a/trigger/error-rate',
    state: 'Open',
    openedAt: '2026-11-22T12:09:10.000Z',
  },
};

export const resolved: Message = {
  ...firing,
  id: 'b1946ac92492d2347c6235b4d2611184',
  kind: 'TriggerResolved',
  title: 'shop/checkout v2: trigger error-rate no longer fires',
  text: 'error-rate 0.1%, not above 0.5%',
  incident: {
    key: 'genesis/shop/checkout/7f3a/trigger/error-rate',
    state: 'Closed',
    openedAt: '2026-11-22T12:09:10.000Z',
  },
};

const { incident: _, runbookUrl: __, ...whole } = firing;

/** Something that is no incident. */
export const stepEntered: Message = {
  ...whole,
  id: '0cc175b9c0f1b6a831c399e269772661',
  kind: 'StepEntered',
  severity: 'Info',
  subject: 'half',
  title: 'shop/checkout v2: step half (50%)',
  text: 'every route reads 50%',
};

export const SECRET = 'kept-in-a-Secret-0123456789';

const inSecret: SecretReference = { type: 'secret', name: 'people', key: 'value' };
const connection = { tls: { insecureSkipVerify: false } };

/** Whatever is asked for: the secret, or the certificate authority where its entry is named. */
export function secretsWith(values: Readonly<Record<string, string>>): ReadSecret {
  return async (reference) =>
    reference.type === 'secret' ? (values[reference.key] ?? SECRET) : SECRET;
}

/** A channel of each type that speaks HTTP, to the server at `url`. */
export const httpChannels = {
  slack: (url: string): ChannelDefinition => ({
    ...connection,
    type: 'slack',
    name: 'slack',
    by: { type: 'token', token: inSecret, channel: 'C0123', apiUrl: `${url}/api` },
  }),
  pagerDuty: (url: string): ChannelDefinition => ({
    ...connection,
    type: 'pagerDuty',
    name: 'pager',
    routingKey: inSecret,
    url: `${url}/v2/enqueue`,
    changeUrl: `${url}/v2/change/enqueue`,
  }),
  alertmanager: (url: string): ChannelDefinition => ({
    ...connection,
    type: 'alertmanager',
    name: 'alerts',
    urls: [url],
    credentials: { type: 'bearer', token: inSecret },
  }),
  webhook: (url: string): ChannelDefinition => ({
    ...connection,
    type: 'webhook',
    name: 'hook',
    url: `${url}/genesis`,
    secret: inSecret,
  }),
} as const;

export function emailChannel(port: number, more: object = {}): ChannelDefinition {
  return {
    ...connection,
    type: 'email',
    name: 'mail',
    host: '127.0.0.1',
    port,
    encryption: 'StartTls',
    from: 'Genesis <genesis@example.com>',
    to: ['alice@example.com', 'bob@example.com'],
    credentials: { username: 'genesis', password: inSecret },
    ...more,
  };
}
