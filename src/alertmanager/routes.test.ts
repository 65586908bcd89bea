/** Where an alert goes: the tree of routes, and who is behind a receiver. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readRoutes } from './routes.ts';

type Labels = Readonly<Record<string, string>>;

const config = `
global:
  resolve_timeout: 5m
route:
  receiver: everybody
  group_by: [alertname]
  routes:
  - receiver: archive
    continue: true
    match_re:
      severity: critical|warning
  - matchers:
    - team="web"
    routes:
    - receiver: web-critical
      match:
        severity: critical
    - receiver: web-rest
      matchers:
      - severity=~"warning|info"
      - env!="test"
  - receiver: database
    match:
      team: "db"
      code: 0500
    routes:
    - matchers: ['"k8s.io/zone"="a"']
      receiver: zone-a
      continue: true
    - matchers: ['owner=~".+"']
  - receiver: nobody
    match:
      team: on
receivers:
- name: everybody
  email_configs: [{to: a@example.org}]
- name: archive
  webhook_configs:
  - url: <secret>
- name: web-critical
  pagerduty_configs: [{}]
- name: web-rest
  slack_configs: []
- name: database
  someday_configs: [{}]
- name: zone-a
- name: nobody
templates: []
`;

const rows: readonly (readonly [string, Labels, readonly string[]])[] = [
  ['what no child takes stays with the root', { team: 'x' }, ['everybody']],
  ['no labels at all', {}, ['everybody']],
  [
    'a route that continues leaves it to the next as well',
    { team: 'web', severity: 'critical' },
    ['archive', 'web-critical'],
  ],
  ['a regular expression binds at both ends', { severity: 'criticals' }, ['everybody']],
  [
    'when only one that continues takes it, the root does not',
    { severity: 'warning' },
    ['archive'],
  ],
  [
    'a route without a receiver has that of its parent',
    { team: 'web', severity: 'page' },
    ['everybody'],
  ],
  [
    'all matchers of a route must match',
    { team: 'web', severity: 'info', env: 'test' },
    ['everybody'],
  ],
  ['a label that is not there is not equal', { team: 'web', severity: 'info' }, ['web-rest']],
  ['values are texts, whatever they look like', { team: 'db', code: '0500' }, ['database']],
  ['and so are those that look like truths', { team: 'on' }, ['nobody']],
  ['names may hold any character', { team: 'db', code: '0500', 'k8s.io/zone': 'a' }, ['zone-a']],
  [
    'a child of the same receiver, and one that continues',
    { team: 'db', code: '0500', 'k8s.io/zone': 'a', owner: 'ann' },
    ['zone-a', 'database'],
  ],
];

describe('an alert', () => {
  const receiversOf = (labels: Labels) => {
    const routes = readRoutes(config);
    assert.ok(routes.type === 'routes', JSON.stringify(routes));
    return routes.receiversOf(labels);
  };
  for (const [name, labels, want] of rows) {
    test(name, () => {
      assert.deepEqual(
        receiversOf(labels).map((one) => one.name),
        want,
      );
    });
  }

  test('reaches somebody where its receiver has an integration of any kind', () => {
    const reaches = (labels: Labels) => receiversOf(labels).map((one) => one.reachesSomebody);
    assert.deepEqual(reaches({}), [true]);
    assert.deepEqual(reaches({ team: 'web', severity: 'info' }), [false]);
    assert.deepEqual(reaches({ team: 'db', code: '0500' }), [true]);
    assert.deepEqual(reaches({ team: 'on' }), [false]);
  });
});

describe('a configuration that cannot be read', () => {
  const unreadable: readonly (readonly [string, string, RegExp])[] = [
    ['no YAML', '{', /no route and receivers/],
    ['empty', '', /no route and receivers/],
    ['without receivers', 'route: {receiver: a}', /no route and receivers/],
    [
      'with a matcher that is none',
      'route: {receiver: a, routes: [{matchers: ["a b"]}]}\nreceivers: [{name: a}]',
      /a matcher that cannot be read: a b/,
    ],
    [
      'with a pattern that is none',
      'route: {receiver: a, routes: [{match_re: {a: "("}}]}\nreceivers: [{name: a}]',
      /a matcher that cannot be read: a=~\(/,
    ],
  ];
  for (const [name, text, words] of unreadable) {
    test(name, () => {
      const read = readRoutes(text);
      assert.ok(read.type === 'unreadable');
      assert.match(read.words, words);
    });
  }
});
