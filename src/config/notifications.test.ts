/** Bad settings of notifications, as sentences that name field, value and what is allowed, and show no secret. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toNotifications } from './channels.ts';
import { readSettingsFile } from './file.ts';
import { notificationsSchema } from './notifications.ts';

const hook = { name: 'hook', webhook: { url: 'https://hook.example.com', secret: { file: '/s' } } };

function problems(notifications: object): readonly string[] {
  return readSettingsFile('f.yaml', () => JSON.stringify({ notifications })).problems;
}

describe('refused is', () => {
  const rows: readonly (readonly [string, object, RegExp])[] = [
    [
      'a channel without a kind',
      { channels: [{ name: 'a' }] },
      /notifications\.channels\[0\]: set exactly one of slack, pagerDuty, email, alertmanager, webhook/,
    ],
    [
      'a channel of two kinds',
      { channels: [{ ...hook, slack: { webhookUrl: { file: '/s' } } }] },
      /channels\[0\]: set exactly one of/,
    ],
    [
      'a name that no rollout can name',
      { channels: [{ ...hook, name: 'Not A Name' }] },
      /channels\[0\]\.name: .*"Not A Name"/,
    ],
    [
      'the same name twice',
      { channels: [hook, hook] },
      /channels\[1\]\.name: "hook" is the name of another channel/,
    ],
    [
      'a field that there is not',
      { channels: [{ name: 'a', slak: {} }] },
      /unknown field "slak"; did you mean slack\?/,
    ],
    [
      'a URL without a scheme',
      { channels: [{ ...hook, webhook: { ...hook.webhook, url: 'hook.example.com' } }] },
      /url: it is no URL of the form https/,
    ],
    [
      'a password in a URL',
      { channels: [{ ...hook, webhook: { ...hook.webhook, url: 'https://u:hunter2@h' } }] },
      /url: it contains a user or password/,
    ],
    [
      'a secret from two places',
      {
        channels: [
          {
            ...hook,
            webhook: { ...hook.webhook, secret: { file: '/s', secret: { name: 'a', key: 'b' } } },
          },
        ],
      },
      /secret: set exactly one of secret, file/,
    ],
    [
      'Slack with a token and no conversation',
      { channels: [{ name: 'a', slack: { token: { file: '/s' } } }] },
      /token and channel go together/,
    ],
    [
      'a password over an open line',
      {
        channels: [
          {
            name: 'a',
            email: {
              host: 'h',
              encryption: 'None',
              from: 'a@b',
              to: ['c@d'],
              username: 'u',
              password: { file: '/s' },
            },
          },
        ],
      },
      /a password is not sent without encryption/,
    ],
    [
      'a mail to nobody',
      { channels: [{ name: 'a', email: { host: 'h', from: 'a@b', to: [] } }] },
      /email\.to/,
    ],
    [
      'a route to a channel that is not there',
      { channels: [hook], routing: { releaseOwner: ['hok'] } },
      /routing\.releaseOwner\[0\]: "hok" is no channel of the operator's configuration: there are hook; did you mean hook\?/,
    ],
    [
      'a responder behind a channel that is not there',
      { routing: { responders: { hudson: ['pager'] } } },
      /routing\.responders\.hudson\[0\]: "pager" is no channel .* none is configured/,
    ],
    [
      'an event that there is not',
      { channels: [hook], routing: { default: [{ channel: 'hook', events: ['Fired'] }] } },
      /events\[0\]: .*"Fired"/,
    ],
    [
      'a schedule out of order',
      {
        schedule: [
          {
            until: '2h',
            lookEvery: '30m',
            digestEvery: '1h',
            answerWithin: { critical: '5m', warning: '30m' },
          },
          {
            until: '1h',
            lookEvery: '30m',
            digestEvery: '1h',
            answerWithin: { critical: '5m', warning: '30m' },
          },
        ],
      },
      /schedule\[1\]\.until: 1h must be later than that of the part before, 2h/,
    ],
    [
      'a summary every second',
      {
        schedule: [
          {
            until: '2h',
            lookEvery: '30m',
            digestEvery: '1s',
            answerWithin: { critical: '5m', warning: '30m' },
          },
        ],
      },
      /digestEvery: 1s is shorter than 1m/,
    ],
  ];
  for (const [sentence, notifications, expected] of rows) {
    test(sentence, () => {
      const found = problems(notifications);
      assert.match(found.join('\n'), expected);
      assert.ok(!found.join('\n').includes('hunter2'));
    });
  }

  test('a secret that stands there itself, and it is not shown', () => {
    const found = problems({
      channels: [
        { name: 'a', slack: { webhookUrl: 'https://hooks.slack.com/services/T/B/hunter2' } },
      ],
    }).join('\n');
    assert.match(found, /channels\[0\]\.slack\.webhookUrl/);
    assert.ok(!found.includes('hunter2'), found);
  });
});

test('every kind becomes a channel, and those that keep incidents are known', () => {
  const file = { file: '/s' };
  const { channels, policy } = toNotifications(
    notificationsSchema.parse({
      channels: [
        { name: 'chat', slack: { webhookUrl: { secret: { name: 'slack', key: 'url' } } } },
        { name: 'bot', slack: { token: file, channel: 'C1' } },
        { name: 'pager', pagerDuty: { routingKey: file } },
        {
          name: 'mail',
          email: { host: 'h', from: 'G <a@b>', to: ['c@d'], username: 'u', password: file },
        },
        { name: 'alerts', alertmanager: { urls: ['http://a:9093'], bearerToken: file } },
        hook,
      ],
      routing: { responders: { hudson: ['pager'] }, releaseOwner: ['mail'] },
    }),
  );
  assert.deepEqual(
    channels.map(({ name, type }) => `${name} ${type}`),
    [
      'chat slack',
      'bot slack',
      'pager pagerDuty',
      'mail email',
      'alerts alertmanager',
      'hook webhook',
    ],
  );
  assert.deepEqual([...policy.incidentChannels], ['pager', 'alerts']);
  assert.deepEqual(policy.schedule[0]?.answerWithinMs, { Critical: 300_000, Warning: 1_800_000 });
});
