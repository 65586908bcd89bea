/** `kubectl genesis preflight` with systems that a test makes up: which rollout, whom it asks, and how it ends. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { Failure } from '#cli/command.ts';
import { type PreflightTools, preflightWith } from '#cli/commands/preflight.ts';
import type { ChainFinding, ChainReport } from '#core/chain.ts';
import type { Refusal } from '#kube/forward.ts';
import type { Clock } from '#ports/clock.ts';
import { ClusterError, type KubeObject } from '#ports/cluster.ts';
import type {
  AlertRouter,
  FiredAlert,
  MetricBackend,
  MonitoringSystems,
} from '#ports/monitoring-systems.ts';
import type { ServerEndpoint } from '#ports/server-endpoint.ts';
import { systemClock } from '#runtime/clock.ts';
import { rolloutSpec } from '#test/builders.ts';
import { type Printed, printingTerminal } from './terminal.ts';

const PROMETHEUS = 'http://127.0.0.1:9090';
const AM = 'http://127.0.0.1:9093';

function rolloutObject(more: { spec?: object; status?: object; generation?: number } = {}) {
  const { spec, status, generation = 3 } = more;
  const analysis = { prometheus: { url: PROMETHEUS } };
  return {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisRollout',
    metadata: { name: 'checkout', namespace: 'shop', generation },
    spec: { ...rolloutSpec(), analysis, ...spec },
    status: { phase: 'Progressing', weight: 50, ...status },
  };
}

interface World {
  readonly objects?: readonly KubeObject[];
  readonly findings?: readonly ChainFinding[];
  readonly files?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly interrupted?: AbortSignal;
  readonly router?: Partial<AlertRouter>;
  /** Named by Prometheus. */
  readonly found?: readonly string[];
  /** What the API server says instead of leading to a Service. */
  readonly refusal?: Refusal;
}

interface Outcome extends Printed {
  readonly checks: readonly Parameters<PreflightTools['check']>[1][];
  readonly endpoints: readonly ServerEndpoint[];
  readonly posted: readonly FiredAlert[];
  readonly connected: number;
  readonly closed: number;
}

async function run(argv: readonly string[], world: World = {}): Promise<Outcome> {
  const { objects = [rolloutObject()], findings = [], files = {}, found = [AM] } = world;
  let connected = 0;
  let closed = 0;
  const checks: Outcome['checks'][number][] = [];
  const endpoints: ServerEndpoint[] = [];
  const posted: FiredAlert[] = [];
  const metrics: MetricBackend = {
    url: PROMETHEUS,
    instant: async () => ({ type: 'samples', samples: [], skewMs: 0 }),
    targets: async () => ({ type: 'told', value: [] }),
    rules: async () => ({ type: 'told', value: [] }),
    alertmanagers: async () => ({ type: 'told', value: found }),
    labelValues: async () => ({ type: 'told', value: [] }),
  };
  const alertRouterAt = (url: string): AlertRouter => ({
    url,
    health: async () => ({ type: 'told', value: '0.28' }),
    receiversOf: async () => ({
      type: 'told',
      value: [{ name: 'people', reachesSomebody: true }],
    }),
    post: async (alert) => {
      posted.push(alert);
      return { type: 'told', value: undefined };
    },
    known: async () => ({ type: 'told', value: ['people'] }),
    ...world.router,
  });
  const tools: PreflightTools = {
    openNetwork: () => ({
      resolves: async (host) => host === '127.0.0.1',
      connects: async (host) => host === '127.0.0.1',
    }),
    openReaders: (_clock, grafana) => ({
      systemsOf: ({ endpoint }) => {
        endpoints.push(endpoint, ...(grafana === undefined ? [] : [grafana]));
        return { metrics, alertRouters: [], alertRouterAt, dashboards: undefined };
      },
      close: async () => {
        closed += 1;
      },
    }),
    check: async (_systems: MonitoringSystems, asked): Promise<ChainReport> => {
      checks.push(asked);
      const { generation, atMs } = asked;
      const up = { state: 'Up' } as const;
      const health = { prometheus: up, alertmanager: up, grafana: up };
      return { checkedAtMs: atMs, generation, findings, health };
    },
  };
  const { terminal, printed } = printingTerminal({
    readText: (path) => files[path] ?? assert.fail(`no file ${path}`),
    clock: world.clock ?? systemClock,
    interrupted: world.interrupted ?? new AbortController().signal,
    connect: async () => {
      connected += 1;
      return {
        server: 'https://api.example',
        namespace: 'shop',
        get: async (resource, { name }) =>
          objects.find(({ kind, metadata }) => kind === resource.kind && metadata.name === name),
        list: async () => [],
        create: () => Promise.reject(new Error('nothing is created')),
        whoAmI: async () => 'alice',
        forward: async () => ({
          url: 'http://127.0.0.1:40000/secret',
          refusal: () => world.refusal,
          close: async () => undefined,
        }),
        close: async () => undefined,
      };
    },
  });
  const end = (code: Printed['code']): Outcome => ({
    code,
    ...printed(),
    checks,
    endpoints,
    posted,
    connected,
    closed,
  });
  try {
    return end(await preflightWith(tools).run(argv, terminal));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    terminal.err(error.sentences.join('\n'));
    return end(error.exit);
  }
}

const broken: ChainFinding = {
  link: 'metric',
  of: 'trigger errors',
  subject: 'errors',
  verdict: 'broken',
  cause: 'neverExisted',
  message: 'no series of errors has ever existed',
  mend: 'Correct the name.',
};

describe('preflight of a rollout in the cluster', () => {
  test('checks its spec at its weight, and ends with 0 when all is well', async () => {
    const { code, out, checks, closed } = await run(['checkout']);
    assert.equal(closed, 1);
    assert.equal(code, 0);
    assert.match(out, /^shop\/checkout/);
    assert.match(out, /canary 50%/);
    assert.match(out, /canary +there is no Service new/);
    const [one] = checks;
    assert.equal(one?.generation, 3);
    assert.equal(one?.weight, 50);
    assert.deepEqual(
      one?.run.triggers.map(({ name }) => name),
      ['errors'],
    );
  });

  test('ends with 5 when a link is broken', async () => {
    const { code, out } = await run(['checkout'], { findings: [broken] });
    assert.equal(code, 5);
    assert.match(out, /mend: Correct the name\./);
    assert.match(out, /Preflight fails: 1 link is broken: metric of trigger errors\.\n$/);
  });

  test('as JSON and as YAML it is the report', async () => {
    const findings = [broken];
    const json = await run(['checkout', '-o', 'json'], { findings });
    assert.deepEqual(JSON.parse(json.out).findings, findings);
    assert.equal(json.code, 5);
    const yaml = await run(['checkout', '-o', 'yaml'], { findings });
    assert.deepEqual(parse(yaml.out).findings, findings);
  });

  test('a run under way is checked by the spec that was recorded for it', async () => {
    const status = { specRecord: 'checkout-spec', runGeneration: 2 };
    const edited = rolloutObject({ status, spec: { triggers: [] } });
    const record = {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: { name: 'checkout-spec', namespace: 'shop' },
      data: { spec: rolloutObject().spec },
    };
    const { checks, out } = await run(['checkout'], { objects: [edited, record] });
    assert.equal(checks[0]?.generation, 2);
    assert.equal(checks[0]?.run.triggers.length, 1);
    assert.match(out.replaceAll('\n', ' '), /follows \(generation 2\); it has been edited since/);
    const lost = await run(['checkout'], { objects: [edited] });
    assert.equal(lost.checks[0]?.generation, 3);
    assert.match(lost.out.replaceAll('\n', ' '), /generation 2, whose record cannot be read/);
  });

  test('says what the operator says', async () => {
    const since = '2026-11-22T12:00:00Z';
    const holds = [
      { reason: 'ChainBroken', by: 'errors', since, message: 'errors: no data' },
      { reason: 'Frozen', by: 'weekend', since, message: 'a freeze' },
    ];
    const status = { phase: 'Held', holds };
    const { out } = await run(['checkout'], { objects: [rolloutObject({ status })] });
    assert.match(out, /THE OPERATOR SAYS \(phase Held\)\n {2}ChainBroken, by errors\n/);
    assert.match(out, /From here nothing of the chain is broken/);
    assert.doesNotMatch(out, /a freeze/);
  });

  test('Prometheus is the one of the flag, with the credentials of the spec and the headers of the flags', async () => {
    const analysis = {
      prometheus: { url: PROMETHEUS, bearerToken: { name: 'prom', key: 'token' } },
    };
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'prom', namespace: 'shop' },
      data: { token: Buffer.from('s3cr3t').toString('base64') },
    };
    const flags = ['--prometheus', 'http://127.0.0.1:1234', '--header', 'X-Scope-OrgID: shop'];
    const objects = [rolloutObject({ spec: { analysis } }), secret];
    const { endpoints, code } = await run(['checkout', ...flags], { objects });
    assert.equal(code, 0);
    assert.deepEqual(endpoints, [
      {
        url: 'http://127.0.0.1:1234',
        headers: { authorization: 'Bearer s3cr3t', 'x-scope-orgid': 'shop' },
        tls: {},
      },
    ]);
  });

  test('Grafana is asked with the token of the file, which nobody gets to see', async () => {
    const flags = ['--grafana', 'http://127.0.0.1:3000', '--grafana-token-file', 't'];
    const { endpoints, out } = await run(['checkout', ...flags], { files: { t: 'glsa_s3cr3t\n' } });
    assert.deepEqual(endpoints[1], {
      url: 'http://127.0.0.1:3000',
      headers: { authorization: 'Bearer glsa_s3cr3t' },
      tls: {},
    });
    assert.match(out, /grafana +up, http:\/\/127\.0\.0\.1:3000\n/);
    assert.doesNotMatch(out, /s3cr3t/);
  });

  const mistakes: readonly [
    name: string,
    argv: readonly string[],
    world: World,
    code: number,
    says: RegExp,
  ][] = [
    [
      'nobody names Prometheus',
      ['checkout'],
      { objects: [rolloutObject({ spec: { analysis: {} } })] },
      2,
      /pass --prometheus URL/,
    ],
    ['there is no such rollout', ['chekout'], {}, 3, /there is no rollout "chekout"/],
    ['the name is missing', [], {}, 2, /preflight needs the NAME/],
    ['a header is none', ['checkout', '--header', 'x'], {}, 2, /--header is not of the form/],
    ['a token has no server', ['checkout', '--grafana-token-file', 't'], {}, 2, /needs --grafana/],
    [
      'a token file is empty',
      ['checkout', '--grafana', 'http://127.0.0.1:3000', '--grafana-token-file', 't'],
      { files: { t: '\n' } },
      2,
      /holds no token/,
    ],
    [
      'a time-out is none',
      ['checkout', '--timeout', 'soon'],
      {},
      2,
      /--timeout "soon" is not a dur/,
    ],
    [
      'the spec is not usable',
      ['checkout'],
      { objects: [rolloutObject({ spec: { triggers: [{}] } })] },
      2,
      /rollout checkout: spec\.triggers\[0\]/,
    ],
  ];
  for (const [name, argv, world, code, says] of mistakes) {
    test(`when ${name}, it says so and ends with ${code}`, async () => {
      const outcome = await run(argv, world);
      assert.match(outcome.err, says);
      assert.equal(outcome.code, code);
    });
  }

  test('a Secret that one may not read is named', async () => {
    const analysis = { prometheus: { url: PROMETHEUS, bearerToken: { name: 'p', key: 't' } } };
    const { err, code } = await run(['checkout'], {
      objects: [rolloutObject({ spec: { analysis } })],
    });
    assert.match(err, /spec\.analysis\.prometheus\.bearerToken: there is no Secret p/);
    assert.equal(code, 1);
  });
});

describe('a Prometheus that only the cluster knows', () => {
  const analysis = { prometheus: { url: 'http://prometheus.monitoring.svc:9090' } };
  const objects = [rolloutObject({ spec: { analysis } })];

  test('is asked through the API server, and called by the name that people know', async () => {
    const url = 'http://127.0.0.1:40000/secret';
    const findings = [{ ...broken, message: `Prometheus at ${url}/x has no errors` }];
    const { code, out, endpoints } = await run(['checkout'], { objects, findings });
    assert.equal(endpoints[0]?.url, url);
    assert.match(
      out,
      /prometheus +up, http:\/\/prometheus\.monitoring\.svc:9090 \(through the API/,
    );
    assert.match(out, /Prometheus at http:\/\/prometheus\.monitoring\.svc:9090\/x has no/);
    assert.doesNotMatch(out, /secret/);
    assert.equal(code, 5);
  });

  test('and that one may not ask is a matter of rights, not a broken link', async () => {
    const refusal = { status: 403, message: 'services "prometheus:9090" is \u001bforbidden' };
    const { code, out, err, closed } = await run(['checkout'], { objects, refusal });
    assert.equal(code, 4);
    assert.equal(out, '');
    assert.match(err, /^http:\/\/prometheus\.monitoring\.svc:9090: services .* is +forbidden\n/);
    assert.match(err, /verbs get and create on services\/proxy in namespace monitoring/);
    assert.match(err, /kubectl port-forward -n monitoring svc\/prometheus 9090/);
    assert.equal(closed, 1);
  });
});

test('an API server that is gone on the way to Prometheus is no broken link either', async () => {
  const analysis = { prometheus: { url: 'http://prometheus.monitoring.svc:9090' } };
  const refusal = { status: 0, message: "the API server's proxy cannot be asked: ECONNREFUSED" };
  const objects = [rolloutObject({ spec: { analysis } })];
  const { code, err } = await run(['checkout'], { objects, refusal });
  assert.equal(code, 1);
  assert.match(err, /monitoring\.svc:9090: the API server's proxy cannot be asked: ECONNREFUSED/);
});

describe('an Alertmanager that Prometheus names', () => {
  test('and that cannot be reached from here is said, and breaks nothing', async () => {
    const { code, out } = await run(['checkout'], { found: ['http://10.0.0.7:9093'] });
    assert.equal(code, 0);
    assert.match(
      out,
      /\? alertmanager +Prometheus sends to http:\/\/10\.0\.0\.7:9093, which cannot/,
    );
  });

  test('and that cannot be reached from here gets no test alert, which fails', async () => {
    const argv = ['checkout', '--fire-alert'];
    const { code, out, posted } = await run(argv, { found: ['http://10.0.0.7:9093'] });
    assert.equal(code, 5);
    assert.deepEqual(posted, []);
    assert.match(out, /alertmanager +it was not fired: Prometheus sends to http:/);
    const some = await run(argv, { found: ['http://10.0.0.7:9093', AM] });
    assert.equal(some.code, 0);
    assert.equal(some.posted.length, 2);
    assert.match(some.out, /\? alertmanager +Prometheus sends to http:\/\/10\.0\.0\.7:9093/);
  });
});

describe('preflight of a file', () => {
  const written = (name: string, namespace?: string) =>
    JSON.stringify({ ...rolloutObject(), metadata: { name, namespace } });

  test('needs no cluster, and has weight 0', async () => {
    const files = { 'r.yaml': written('checkout', 'shop') };
    const { code, checks, connected, out } = await run(['-f', 'r.yaml'], { files });
    assert.equal(code, 0);
    assert.equal(connected, 0);
    assert.equal(checks[0]?.weight, 0);
    assert.match(out, /the spec in r\.yaml, canary 0%/);
  });

  test('takes the one that is named, in the namespace of the flag where the file has none', async () => {
    const files = { 'r.yaml': `${written('checkout')}\n---\n${written('cart')}` };
    const { checks } = await run(['cart', '-f', 'r.yaml', '-n', 'store'], { files });
    assert.deepEqual(checks[0]?.run.placeholders, { namespace: 'store', rollout: 'cart' });
    const several = await run(['-f', 'r.yaml'], { files });
    assert.match(several.err, /several rollouts; name one: checkout, cart/);
    const none = await run(['web', '-f', 'r.yaml'], { files });
    assert.equal(none.code, 3);
    const other = { 'r.yaml': written('checkout', 'shop') };
    const elsewhere = await run(['-f', 'r.yaml', '-n', 'store'], { files: other });
    assert.match(elsewhere.err, /is in namespace shop, and --namespace says store/);
  });
});

describe('--fire-alert', () => {
  const argv = ['checkout', '--fire-alert', '-o', 'json'];
  const ofTest = ({ out }: Outcome): ChainFinding[] =>
    JSON.parse(out).findings.filter(({ of }: ChainFinding) => of === 'the test alert');

  test('posts to each Alertmanager to which Prometheus sends, and resolves it', async () => {
    const outcome = await run(argv);
    assert.equal(outcome.code, 0);
    const [finding] = ofTest(outcome);
    assert.equal(finding?.verdict, 'fine');
    assert.match(finding?.message ?? '', /knew it after \d\.\d s; receiver: people$/);
    const [fired, resolved] = outcome.posted;
    const { genesis_test_id: id, ...labels } = fired?.labels ?? {};
    assert.deepEqual(labels, {
      alertname: 'GenesisPreflightTest',
      namespace: 'shop',
      rollout: 'checkout',
      severity: 'info',
      genesis_test: 'true',
    });
    assert.match(id ?? '', /^[-0-9a-f]{36}$/);
    assert.equal(fired?.endsAtMs, undefined);
    assert.deepEqual(resolved?.labels, fired?.labels);
    assert.ok((resolved?.endsAtMs ?? 0) >= (fired?.startsAtMs ?? Infinity));
  });

  test('posts to those of the flags and to no other', async () => {
    const url = 'http://127.0.0.1:1111';
    const outcome = await run([...argv, '--alertmanager', url]);
    assert.deepEqual(
      ofTest(outcome).map(({ subject }) => subject),
      [url],
    );
  });

  /** Time passes only while somebody sleeps. */
  function sleepyClock(): Clock {
    let now = 0;
    return {
      ...systemClock,
      monotonic: () => now,
      sleep: async (ms, signal) => {
        signal?.throwIfAborted();
        now += ms;
      },
    };
  }

  test('waits, asking once a second', async () => {
    let asked = 0;
    const known: AlertRouter['known'] = async () => {
      asked += 1;
      return { type: 'told', value: asked > 7 ? ['people'] : undefined };
    };
    const outcome = await run(argv, { clock: sleepyClock(), router: { known } });
    assert.match(ofTest(outcome)[0]?.message ?? '', /after 7\.0 s/);
  });

  const failures: readonly [
    name: string,
    world: World,
    link: string,
    cause: string | undefined,
    says: RegExp,
    code: number,
  ][] = [
    [
      'it is never listed',
      { router: { known: async () => ({ type: 'told', value: undefined }) } },
      'alertmanager',
      'unreachable',
      /was taken, and is not listed/,
      5,
    ],
    [
      'it cannot be posted',
      { router: { post: async () => ({ type: 'failed', message: 'gone' }) } },
      'alertmanager',
      'unreachable',
      /cannot be posted: gone/,
      5,
    ],
    [
      'no receiver gets it',
      { router: { known: async () => ({ type: 'told', value: [] }) } },
      'receiver',
      'noReceiver',
      /names no receiver/,
      5,
    ],
    [
      'Prometheus sends nowhere',
      { found: [] },
      'alertmanager',
      'noReceiver',
      /sends to no Alertmanager/,
      5,
    ],
    [
      'nobody is behind the receiver',
      {
        router: {
          receiversOf: async () => ({
            type: 'told',
            value: [{ name: 'people', reachesSomebody: false }],
          }),
        },
      },
      'receiver',
      'nobodyTold',
      /without anybody to tell/,
      0,
    ],
    [
      'the API cannot tell',
      { router: { known: async () => ({ type: 'cannotTell', message: 'no such API' }) } },
      'alertmanager',
      undefined,
      /no such API/,
      0,
    ],
  ];
  for (const [name, world, link, cause, says, code] of failures) {
    test(`names the link when ${name}, and ends with ${code}`, async () => {
      const outcome = await run(argv, { clock: sleepyClock(), ...world });
      const [finding, ...more] = ofTest(outcome);
      assert.equal(finding?.link, link);
      assert.equal(finding?.cause, cause);
      assert.match(finding?.message ?? '', says);
      assert.deepEqual(more, []);
      assert.equal(outcome.code, code);
      if (outcome.posted.length > 0) assert.ok(outcome.posted.at(-1)?.endsAtMs !== undefined);
    });
  }

  test('is resolved when the person leaves', async () => {
    const leaving = new AbortController();
    const known: AlertRouter['known'] = async () => {
      leaving.abort(new Error('interrupted'));
      return { type: 'told', value: undefined };
    };
    const outcome = await run(argv, { interrupted: leaving.signal, router: { known } });
    assert.equal(outcome.code, 130);
    assert.equal(outcome.posted.length, 2);
    assert.ok(outcome.posted[1]?.endsAtMs !== undefined);
  });

  test('one that cannot be resolved is said', async () => {
    let posts = 0;
    const post: AlertRouter['post'] = async () => {
      posts += 1;
      return posts === 1 ? { type: 'told', value: undefined } : { type: 'failed', message: 'gone' };
    };
    const outcome = await run(argv, { router: { post } });
    const [, advice] = ofTest(outcome);
    assert.equal(advice?.verdict, 'advice');
    assert.match(advice?.message ?? '', /cannot be resolved: gone; it ends by itself/);
    assert.equal(outcome.code, 0);
  });

  test('a failing API server is an error of its own', async () => {
    const objects: KubeObject[] = [];
    Object.defineProperty(objects, 'find', {
      value: () => {
        throw new ClusterError('unavailable', 'GET /x failed: connect ECONNREFUSED');
      },
    });
    const { code, err } = await run(['checkout'], { objects });
    assert.equal(code, 1);
    assert.match(err, /nobody answers at https:\/\/api\.example/);
  });
});
