/** A Grafana as it is asked, against fake servers: which queries a dashboard makes, what its panels show, and every fault. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createDashboardServer } from '#grafana/dashboard-server.ts';
import type { Dashboard, DashboardServer, Told } from '#ports/monitoring-systems.ts';
import { systemClock } from '#runtime/clock.ts';
import {
  type Behaviour,
  json,
  patienceMs,
  type Recorded,
  startFakePrometheus as startFakeServer,
} from '#test/prometheus/fake-prometheus.ts';
import { forever } from '#test/prometheus/source.ts';
import { testServices } from './services.ts';

const datasources = [
  { uid: 'loki-1', name: 'Logs', type: 'loki' },
  { uid: 'prom-1', name: 'Main', type: 'prometheus', isDefault: true },
  { uid: 'prom-2', name: 'Other', type: 'prometheus' },
];
const refused = (status: number, message: string): Behaviour => json({ message }, status);

interface World {
  readonly dashboard?: object;
  readonly datasources?: Behaviour;
  readonly query?: Behaviour;
  readonly others?: Readonly<Record<string, Behaviour>>;
}

function respond(world: World): (request: Recorded) => Behaviour {
  const routes: Readonly<Record<string, Behaviour>> = {
    '/api/health': json({ database: 'ok', version: '12.3.0' }),
    '/api/dashboards/uid/shop': json({ dashboard: { uid: 'shop', ...world.dashboard }, meta: {} }),
    '/api/datasources': world.datasources ?? json(datasources),
    '/api/ds/query': world.query ?? json({ results: {} }),
    ...world.others,
  };
  return ({ path }) => routes[path] ?? refused(404, 'Not found');
}

function patienceOf({ query, others = {} }: World): number {
  const behaviours = [...Object.values(others), ...(query === undefined ? [] : [query])];
  return Math.min(30_000, ...behaviours.map(patienceMs));
}

async function withServer<T>(
  world: World,
  use: (server: DashboardServer, requests: readonly Recorded[]) => Promise<T>,
): Promise<T> {
  await using server = await startFakeServer({ respond: respond(world) });
  await using services = testServices({ timeoutMs: patienceOf(world) });
  return await use(
    createDashboardServer(services.of('Grafana', server.url), systemClock),
    server.requests,
  );
}

async function read(dashboard: object, world: World = {}): Promise<Dashboard> {
  const told = await withServer({ ...world, dashboard }, (server) =>
    server.dashboard('shop', forever),
  );
  assert.ok(told.type === 'told' && told.value !== undefined, JSON.stringify(told));
  return told.value;
}

const target = (rest: object = {}): object => ({ refId: 'A', expr: 'up', ...rest });
const panel = (rest: object = {}): object => ({
  id: 1,
  type: 'timeseries',
  title: 'Load',
  datasource: { type: 'prometheus', uid: 'prom-2' },
  targets: [target()],
  ...rest,
});

describe('a dashboard', () => {
  test('is its panels with their queries', async () => {
    assert.deepEqual(await read({ title: 'The shop', panels: [panel()] }), {
      uid: 'shop',
      title: 'The shop',
      panels: [
        {
          id: 1,
          title: 'Load',
          queries: [
            {
              refId: 'A',
              body: { refId: 'A', expr: 'up', datasource: { type: 'prometheus', uid: 'prom-2' } },
            },
          ],
        },
      ],
    });
  });

  test('that is not there is told', async () => {
    const told = await withServer({}, (server) => server.dashboard('a/b', forever));
    assert.deepEqual(told, { type: 'told', value: undefined });
  });

  test('has panels in closed rows, and in rows of old dashboards', async () => {
    const { panels } = await read({
      panels: [
        { id: 9, type: 'row', collapsed: true, panels: [panel({ id: 2 })] },
        { id: 8, type: 'row', collapsed: false, panels: [] },
        panel({ id: 3 }),
      ],
      rows: [{ panels: [panel({ id: 4 })] }],
    });
    assert.deepEqual(
      panels.map(({ id }) => id),
      [4, 2, 3],
    );
  });

  test('has no panels of text, news and lists, and none without queries', async () => {
    const { panels } = await read({
      panels: [
        panel({ type: 'text' }),
        panel({ type: 'news' }),
        panel({ type: 'dashlist' }),
        panel({ targets: [] }),
        panel({ targets: undefined }),
        panel({ targets: [target({ hide: true })] }),
      ],
    });
    assert.deepEqual(panels, []);
  });

  test('leaves hidden queries out, but for those that an expression is calculated from', async () => {
    const expression = target({
      refId: 'B',
      type: 'math',
      expression: '$A * 2',
      datasource: { type: '__expr__', uid: '__expr__' },
    });
    const { panels } = await read({
      panels: [
        panel({ targets: [target({ hide: true }), target({ refId: 'C' })] }),
        panel({ targets: [target({ hide: true }), expression] }),
      ],
    });
    assert.deepEqual(
      panels.map(({ queries }) => queries.map(({ refId }) => refId)),
      [['C'], ['B']],
    );
    assert.deepEqual(
      panels.map(({ inputs }) => inputs?.map(({ refId }) => refId)),
      [undefined, ['A']],
    );
  });

  test('has library panels, whose queries may have to be asked for', async () => {
    const { panels } = await read(
      { panels: [{ id: 5, libraryPanel: { uid: 'lib', name: 'Load' } }] },
      { others: { '/api/library-elements/lib': json({ result: { model: panel({ id: 77 }) } }) } },
    );
    assert.deepEqual(
      panels.map(({ id, title }) => [id, title]),
      [[5, 'Load']],
    );
  });

  test('in the schema of version 12 cannot be told', async () => {
    const world = { dashboard: { elements: {} } };
    const told = await withServer(world, (server) => server.dashboard('shop', forever));
    assert.equal(told.type, 'cannotTell');
  });
});

describe('the data source of a query', () => {
  const variables = [
    { name: 'chosen', type: 'datasource', query: 'prometheus', current: { value: 'prom-2' } },
    { name: 'byName', type: 'datasource', query: 'prometheus', current: { value: 'Other' } },
    { name: 'standard', type: 'datasource', query: 'prometheus', current: { value: 'default' } },
    { name: 'logs', type: 'datasource', query: 'loki', current: {} },
  ];
  const rows: readonly (readonly [string, unknown, unknown, string | undefined])[] = [
    ['is its own', { uid: 'prom-2' }, { uid: 'prom-1' }, 'prom-2'],
    ['is that of the panel', undefined, { uid: 'prom-2' }, 'prom-2'],
    ['is its own in a mixed panel', { uid: 'loki-1' }, { uid: '-- Mixed --' }, 'loki-1'],
    ['is the default one', null, null, 'prom-1'],
    ['is the first of its type', { type: 'loki' }, null, 'loki-1'],
    ['is named, as it was', 'Other', null, 'prom-2'],
    ['is chosen by a variable', { uid: '${chosen}' }, null, 'prom-2'],
    ['is chosen by a variable that holds a name', { uid: '$byName' }, null, 'prom-2'],
    ['is the default one by a variable', { uid: '[[standard]]' }, null, 'prom-1'],
    ['is the first of the type of a variable', { uid: '${logs}' }, null, 'loki-1'],
    ['is unknown to us, but maybe not to Grafana', { type: 'x', uid: 'gone' }, null, 'gone'],
    ['cannot be told', { uid: '${nothing}' }, null, undefined],
  ];
  for (const [name, own, ofPanel, want] of rows) {
    test(name, async () => {
      const { panels } = await read({
        templating: { list: variables },
        panels: [panel({ datasource: ofPanel, targets: [target({ datasource: own })] })],
      });
      const [query] = panels[0]?.queries ?? [];
      const found: unknown = query?.body['datasource'];
      assert.equal(Object.assign({ uid: undefined }, found).uid, want);
    });
  }

  test("of Grafana's own page asks nothing", async () => {
    const { panels } = await read({
      panels: [panel({ datasource: { uid: '-- Dashboard --' } }), panel({ datasource: 'grafana' })],
    });
    assert.deepEqual(panels, []);
  });

  test('may be read from the page by those who may not list them', async () => {
    const settings = {
      defaultDatasource: 'Other',
      datasources: { Other: { uid: 'prom-2', type: 'prometheus', meta: {} } },
    };
    const { panels } = await read(
      { panels: [panel({ datasource: null })] },
      {
        datasources: refused(403, 'Access denied'),
        others: { '/api/frontend/settings': json(settings) },
      },
    );
    assert.deepEqual(panels[0]?.queries[0]?.body['datasource'], {
      uid: 'prom-2',
      type: 'prometheus',
    });
  });
});

test('variables are filled in, in the way of the data source', async () => {
  const list = [{ name: 'pod', multi: true, type: 'custom', current: { value: ['a', 'b'] } }];
  const { panels } = await read({
    templating: { list },
    panels: [
      panel({
        title: 'Load of $pod',
        targets: [
          target({ expr: 'up{pod=~"$pod"}', more: [{ text: '$pod', count: 1 }] }),
          target({ refId: 'B', expr: '$pod', datasource: { type: 'mysql', uid: 'sql' } }),
        ],
      }),
    ],
  });
  assert.equal(panels[0]?.title, 'Load of {a,b}');
  const [first, second] = panels[0].queries;
  assert.equal(first?.body['expr'], 'up{pod=~"(a|b)"}');
  assert.deepEqual(first.body['more'], [{ text: '(a|b)', count: 1 }]);
  assert.equal(second?.body['expr'], '{a,b}');
});

describe('a variable that was saved without a choice', () => {
  const datasource = { type: 'prometheus', uid: 'prom-2' };
  const variable = (name: string, query: unknown, rest: object = {}): object => ({
    name,
    type: 'query',
    datasource,
    query,
    current: {},
    ...rest,
  });
  const label = (name: string): string =>
    `/api/datasources/uid/prom-2/resources/api/v1/label/${name}/values`;
  const values = json({ status: 'success', data: ['api', 'shop-1', 'shop-2'] });

  const rows: readonly (readonly [string, unknown, object, string])[] = [
    ['has the first value of its query', 'label_values(up, job)', {}, 'api'],
    ['of a query with its own form', { query: 'label_values(job)' }, {}, 'api'],
    ['has the last one where it sorts the other way', 'label_values(job)', { sort: 2 }, 'shop-2'],
    ['has the first that fits', 'label_values(job)', { regex: '/shop-.*/' }, 'shop-1'],
    ['has the part that fits', 'label_values(job)', { regex: '/shop-(.*)/' }, '1'],
    ['has none of a query that is not read here', 'query_result(up)', {}, '$v'],
    ['may show all', 'label_values(job)', { includeAll: true }, '.*'],
    ['keeps its choice', 'label_values(job)', { current: { value: 'x' } }, 'x'],
  ];
  for (const [name, query, rest, want] of rows) {
    test(name, async () => {
      const { panels } = await read(
        {
          templating: { list: [variable('v', query, rest)] },
          panels: [panel({ targets: [target({ expr: '$v' })] })],
        },
        { others: { [label('job')]: values } },
      );
      assert.equal(panels[0]?.queries[0]?.body['expr'], want);
    });
  }

  test('may name one before it', async () => {
    const list = [
      variable('job', 'label_values(up{a="b"}, job)'),
      variable('pod', 'label_values(up{job="$job"}, pod)'),
    ];
    const pods = json({ data: ['p'] });
    const world = {
      dashboard: { templating: { list } },
      others: { [label('job')]: values, [label('pod')]: pods },
    };
    await withServer(world, async (server, requests) => {
      await server.dashboard('shop', forever);
      const asked = requests.filter(({ path }) => path.endsWith('/values'));
      const matches = asked.map(({ search }) => new URLSearchParams(search).get('match[]'));
      assert.deepEqual(matches, ['up{a="b"}', 'up{job="api"}']);
    });
  });
});

const WINDOW = { startMs: 100_000, endMs: 1_000_000 };
const shown = {
  id: 1,
  title: 'Load',
  queries: [
    { refId: 'A', body: { refId: 'A', expr: 'up', datasource: { uid: 'prom-1' } } },
    { refId: 'B', body: { refId: 'B', expr: 'down', datasource: { uid: 'prom-1' } } },
  ],
};
const frames = (atMs: number): object[] => [
  {
    schema: { fields: [{ type: 'time' }, { type: 'number' }] },
    data: { values: [[atMs], [1]] },
  },
];

describe('the data of a panel', () => {
  const data = (query: Behaviour) =>
    withServer({ query }, (server) => server.panelData(shown, WINDOW, forever));

  test('is as new as the newest of its queries', async () => {
    const answer = await data(
      json({ results: { A: { frames: frames(900_000) }, B: { frames: frames(800_000) } } }),
    );
    assert.deepEqual(answer, { type: 'told', value: { newestAtMs: 900_000 } });
  });

  test('is nothing when no query brings any', async () => {
    const none = { type: 'told', value: { newestAtMs: undefined } };
    assert.deepEqual(await data(json({ results: {} })), none);
    assert.deepEqual(await data(json({ results: { A: {}, B: { frames: [] } } })), none);
  });

  test('is asked for with all of its queries, over the window', async () => {
    await withServer({}, async (server, requests) => {
      const inputs = [{ refId: 'H', body: { refId: 'H', expr: 'hidden' } }];
      await server.panelData({ ...shown, inputs }, WINDOW, forever);
      const [request] = requests;
      assert.equal(request?.method, 'POST');
      const body: unknown = JSON.parse(Object.entries(request.form).flat().join(''));
      const points = { intervalMs: 15_000, maxDataPoints: 100 };
      assert.deepEqual(body, {
        queries: [
          ...shown.queries.map((one) => ({ ...one.body, ...points })),
          { refId: 'H', expr: 'hidden', ...points, hide: true },
        ],
        from: '100000',
        to: '1000000',
      });
    });
  });

  const errors: readonly (readonly [string, Behaviour, RegExp])[] = [
    [
      'one query fails',
      json(
        { results: { A: { frames: frames(1) }, B: { error: 'parse error', status: 400 } } },
        400,
      ),
      /^Grafana at http:.* cannot show query B: parse error$/,
    ],
    [
      'one query fails, told with 207',
      json({ results: { B: { error: 'bad gateway', status: 502 } } }, 207),
      /cannot show query B: bad gateway/,
    ],
    [
      'the data source is gone',
      refused(404, 'data source not found'),
      /answered 404: data source not found/,
    ],
    [
      'the token may not query',
      refused(403, 'You need datasources:query'),
      /answered 403: You need/,
    ],
    ['the token is none', refused(401, 'Invalid API key'), /answered 401: Invalid API key/],
    [
      'a proxy fails',
      { type: 'answer', status: 502, text: 'Bad Gateway' },
      /answered 502: Bad Gateway/,
    ],
    ['it hangs', { type: 'hang' }, /did not answer within 0\.3 s/],
    ['it breaks the connection', { type: 'reset' }, /closed the connection/],
    ['it is no Grafana', json({ status: 'success' }), /does not answer as Grafana does/],
  ];
  for (const [name, behaviour, message] of errors) {
    test(`cannot be had when ${name}`, async () => {
      const answer = await data(behaviour);
      assert.equal(answer.type, 'failed', JSON.stringify(answer));
      assert.match(messageOf(answer), message);
    });
  }
});

describe('the health of Grafana', () => {
  const health = (behaviour: Behaviour) =>
    withServer({ others: { '/api/health': behaviour } }, (server) => server.health(forever));

  test('is good with its version, which it may keep to itself', async () => {
    const well = await health(json({ database: 'ok', version: '12.3.0', commit: 'a' }));
    assert.deepEqual(well, { type: 'told', value: '12.3.0' });
    assert.deepEqual(await health(json({ database: 'ok' })), { type: 'told', value: '' });
  });

  const rows: readonly (readonly [string, Behaviour, RegExp])[] = [
    ['its database fails', json({ database: 'failing' }, 503), /answered 503/],
    ['its database is odd', json({ database: 'failing' }), /its database is failing/],
    [
      'it is a page',
      { type: 'answer', headers: { 'content-type': 'text/html' }, text: '<p>' },
      /does not answer as Grafana does/,
    ],
    ['it hangs', { type: 'hang' }, /did not answer within/],
    [
      'it redirects',
      { type: 'answer', status: 302, headers: { location: '/login?x=1' }, text: '' },
      /redirect to \/login;/,
    ],
  ];
  for (const [name, behaviour, message] of rows) {
    test(`is bad when ${name}`, async () => {
      const answer = await health(behaviour);
      assert.equal(answer.type, 'failed', JSON.stringify(answer));
      assert.match(messageOf(answer), message);
    });
  }
});

describe('a dashboard cannot be read', () => {
  const rows: readonly (readonly [string, Behaviour, RegExp])[] = [
    ['by others', refused(403, 'Access denied'), /answered 403/],
    [
      'where there is no Grafana',
      { type: 'answer', status: 404, text: '404 page not found' },
      /answered 404: 404 page/,
    ],
    ['where it has no such form', json({ hello: 1 }), /does not answer as Grafana does/],
    ['while it hangs', { type: 'hangInBody' }, /did not answer within/],
  ];
  for (const [name, behaviour, message] of rows) {
    test(name, async () => {
      const others = { '/api/dashboards/uid/shop': behaviour };
      const answer = await withServer({ others }, (server) => server.dashboard('shop', forever));
      assert.equal(answer.type, 'failed', JSON.stringify(answer));
      assert.match(messageOf(answer), message);
    });
  }
});

function messageOf(answer: Told<unknown>): string {
  return answer.type === 'told' ? JSON.stringify(answer.value) : answer.message;
}
