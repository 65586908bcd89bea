import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Config, type ConfigInput, readConfig } from './config.ts';

const none = { argv: [], env: {} };

function read(input: Partial<ConfigInput> & { readonly files?: Record<string, string> }) {
  const { files = {}, ...rest } = input;
  const readText = (path: string): string => {
    const text = files[path];
    if (text !== undefined) return text;
    throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: 'ENOENT' });
  };
  return readConfig({ ...none, readText, ...rest });
}

function run(input: Parameters<typeof read>[0]): Config {
  const result = read(input);
  assert.equal(result.type, 'run', JSON.stringify(result));
  return result.config;
}

function problems(input: Parameters<typeof read>[0]): readonly string[] {
  const result = read(input);
  assert.equal(result.type, 'invalid', JSON.stringify(result));
  return result.problems;
}

describe('without flags', () => {
  test('every setting has its default', () => {
    const { version, lease, notifications, ...config } = run({});
    assert.deepEqual(notifications.channels, []);
    assert.deepEqual(
      notifications.policy.schedule.map(({ untilMs }) => untilMs / 3_600_000),
      [24, 48],
    );
    assert.match(version, /^[0-9]+\.[0-9]+\.[0-9]+/);
    assert.match(lease?.identity ?? '', /^.+_[0-9a-f-]{36}$/);
    assert.deepEqual(config, {
      source: { type: 'default' },
      namespaces: undefined,
      prometheus: undefined,
      alertmanager: undefined,
      grafana: undefined,
      metricsAddress: { type: 'listen', host: undefined, port: 8080 },
      healthAddress: { type: 'listen', host: undefined, port: 8081 },
      concurrency: 1024,
      allowLoopbackUrls: false,
      logLevel: 'info',
      evidenceDirectory: undefined,
      manifests: {
        makes: { prometheusrule: true, servicemonitor: true, dashboard: true },
        labels: {},
        runbookUrl: 'https://genesis.dev/runbooks',
      },
      ownNamespace: 'default',
      client: { requestsPerSecond: 500, burst: 1000 },
      query: { timeoutMs: 5000, concurrencyMax: 64, responseBytesMax: 16_777_216 },
    });
  });
});

describe('a flag', () => {
  const rows: readonly {
    readonly argv: readonly string[];
    readonly want: (config: Config) => unknown;
    readonly is: unknown;
  }[] = [
    {
      argv: ['--kubeconfig', '/k'],
      want: ({ source }) => source,
      is: { type: 'file', path: '/k' },
    },
    { argv: ['--namespace', 'shop'], want: ({ namespaces }) => namespaces, is: ['shop'] },
    { argv: ['--namespace=a, b,a'], want: ({ namespaces }) => namespaces, is: ['a', 'b'] },
    { argv: ['--namespace', ''], want: ({ namespaces }) => namespaces, is: undefined },
    {
      argv: ['--prometheus-url', 'http://p:9090'],
      want: ({ prometheus }) => prometheus,
      is: { url: 'http://p:9090', headers: [] },
    },
    {
      argv: ['--metrics-address', '127.0.0.1:9000'],
      want: ({ metricsAddress }) => metricsAddress,
      is: { type: 'listen', host: '127.0.0.1', port: 9000 },
    },
    {
      argv: ['--metrics-address', '[::1]:9000'],
      want: ({ metricsAddress }) => metricsAddress,
      is: { type: 'listen', host: '::1', port: 9000 },
    },
    {
      argv: ['--health-address', '0'],
      want: ({ healthAddress }) => healthAddress,
      is: { type: 'listen', host: undefined, port: 0 },
    },
    {
      argv: ['--health-address=off'],
      want: ({ healthAddress }) => healthAddress,
      is: { type: 'off' },
    },
    { argv: ['--concurrency', '1'], want: ({ concurrency }) => concurrency, is: 1 },
    {
      argv: ['--concurrency', '1', '--concurrency=2'],
      want: ({ concurrency }) => concurrency,
      is: 2,
    },
    { argv: ['--leader-elect'], want: ({ lease }) => lease?.name, is: 'genesis-rollout' },
    { argv: ['--leader-elect=true'], want: ({ lease }) => lease?.name, is: 'genesis-rollout' },
    { argv: ['--leader-elect=false'], want: ({ lease }) => lease, is: undefined },
    { argv: ['--evidence-dir', '/e'], want: (one) => one.evidenceDirectory, is: '/e' },
    { argv: ['--log-level', 'debug'], want: ({ logLevel }) => logLevel, is: 'debug' },
  ];
  for (const { argv, want, is } of rows) {
    test(`sets its setting: ${argv.join(' ')}`, () => {
      assert.deepEqual(want(run({ argv, files: { '/k': '' } })), is);
    });
  }
});

describe('a bad flag is a sentence:', () => {
  const rows: readonly (readonly [argv: readonly string[], says: string])[] = [
    [
      ['--promethus-url', 'http://p'],
      'unknown flag --promethus-url; did you mean --prometheus-url?',
    ],
    [['--frobnicate'], 'unknown flag --frobnicate; see --help'],
    [['-x'], 'unknown flag -x; see --help'],
    [['start'], 'unexpected argument "start": every setting has a flag; see --help'],
    [['--concurrency'], '--concurrency needs a value: --concurrency COUNT'],
    [['--concurrency', '--leader-elect'], '--concurrency needs a value: --concurrency COUNT'],
    [['--config'], '--config needs a value: --config FILE'],
    [['--concurrency', 'many'], '--concurrency: "many" is not a whole number'],
    [['--concurrency', '1.5'], '--concurrency: "1.5" is not a whole number'],
    [['--concurrency', '0'], '--concurrency: must be at least 1; it is 0'],
    [['--concurrency', '5000'], '--concurrency: must be at most 4096; it is 5000'],
    [['--leader-elect=perhaps'], '--leader-elect: "perhaps" is not a boolean'],
    [['--log-level', 'loud'], '--log-level: "loud" is not one of debug, info, warn, error'],
    [
      ['--namespace', 'Shop'],
      '--namespace: "Shop" is not a name of lower case letters, digits and -',
    ],
    [
      ['--metrics-address', '8080'],
      '--metrics-address: "8080" is no address; allowed are HOST:PORT, :PORT, 0 for a free port, or off',
    ],
    [
      ['--metrics-address', ':70000'],
      '--metrics-address: ":70000" is no address; allowed are HOST:PORT, :PORT, 0 for a free port, or off',
    ],
    [
      ['--metrics-address', '::1:80'],
      '--metrics-address: "::1:80" is no address; allowed are HOST:PORT, :PORT, 0 for a free port, or off',
    ],
    [
      ['--prometheus-url', 'prometheus:9090'],
      '--prometheus-url: "prometheus:9090" has the scheme prometheus; http and https are allowed',
    ],
    [
      ['--grafana-url', 'http://me:hunter2@g'],
      '--grafana-url: it contains a user or password; set grafana.basicAuth in the file of --config instead',
    ],
    [
      ['--prometheus-url', 'http://me:hunter2@p'],
      '--prometheus-url: it contains a user or password; set prometheus.basicAuth in the file of --config instead',
    ],
    [['--kubeconfig', '/nowhere'], 'kubeconfig "/nowhere": there is no such file'],
    [['--config', '/nowhere'], '--config /nowhere: there is no such file'],
  ];
  for (const [argv, says] of rows) {
    test(argv.join(' '), () => assert.deepEqual(problems({ argv }), [says]));
  }

  test('all of them at once', () => {
    const argv = ['--concurrency', '0', '--log-level', 'x', '--bogus'];
    assert.equal(problems({ argv }).length, 3);
  });
});

describe('the file of --config', () => {
  const argv = ['--config', '/c.yaml'];

  test('sets what the flags do not', () => {
    const files = { '/c.yaml': 'concurrency: 7\nlogLevel: warn\nnamespace: a,b\n' };
    const config = run({ argv: [...argv, '--concurrency', '9'], files });
    assert.equal(config.concurrency, 9);
    assert.equal(config.logLevel, 'warn');
    assert.deepEqual(config.namespaces, ['a', 'b']);
  });

  test('may be empty', () =>
    assert.equal(run({ argv, files: { '/c.yaml': '' } }).concurrency, 1024));

  test('has what is too rare for a flag', () => {
    const text = `
prometheusUrl: https://p
prometheus: {bearerTokenFile: /t, headers: [{name: X-Scope-OrgID, value: shop}]}
alertmanagerUrl: http://am:9093/am
alertmanager: {basicAuth: {username: genesis, passwordFile: /p}}
grafanaUrl: https://g
grafana: {bearerTokenFile: /g, tls: {caFile: /ca}}
client: {qps: 50}
lease: {name: other, namespace: ops, duration: 30s, renewDeadline: 20s, retryPeriod: 5s}
limits: {queryTimeout: 1m, queriesAtOnce: 3}
`;
    const config = run({ argv, files: { '/c.yaml': text } });
    assert.deepEqual(config.prometheus, {
      url: 'https://p',
      headers: [{ name: 'X-Scope-OrgID', value: 'shop' }],
      bearerTokenFile: '/t',
    });
    assert.deepEqual(config.alertmanager, {
      url: 'http://am:9093/am',
      headers: [],
      basicAuth: { username: 'genesis', passwordFile: '/p' },
    });
    assert.deepEqual(config.grafana, {
      url: 'https://g',
      headers: [],
      bearerTokenFile: '/g',
      tls: { caFile: '/ca', insecureSkipVerify: false },
    });
    assert.deepEqual(config.client, { requestsPerSecond: 50, burst: 1000 });
    assert.equal(config.query.timeoutMs, 60_000);
    const {
      identity: _,
      isGone: __,
      ...lease
    } = config.lease ?? { identity: '', isGone: undefined };
    assert.deepEqual(lease, {
      name: 'other',
      namespace: 'ops',
      leaseDurationMs: 30_000,
      renewDeadlineMs: 20_000,
      retryMs: 5000,
    });
  });

  const rows: readonly (readonly [text: string, says: string])[] = [
    ['concurency: 3', '/c.yaml: unknown field "concurency"; did you mean concurrency?'],
    [
      'lease: {foo: 1}',
      '/c.yaml: lease: unknown field "foo"; known are name, namespace, duration, renewDeadline, retryPeriod',
    ],
    [
      'prometheus: {headers: [{nam: a, value: b}]}',
      '/c.yaml: prometheus.headers[0].name: is required',
    ],
    ['concurrency: "3"', '/c.yaml: concurrency: "3" is not a whole number'],
    ['leaderElect: "no"', '/c.yaml: leaderElect: "no" is not a boolean'],
    [
      'lease: {duration: 5 minutes}',
      '/c.yaml: lease.duration: "5 minutes" is not a duration such as 90s, 5m, 6h or 1h30m',
    ],
    [
      'lease: {duration: 10s}',
      '/c.yaml: lease.duration: 10s must be longer than renewDeadline, 10s',
    ],
    [
      'lease: {retryPeriod: 9s}',
      '/c.yaml: lease.renewDeadline: 10s must be longer than 1.2 times retryPeriod, 9s',
    ],
    [
      'prometheusUrl: http://p\nprometheus: {tls: {certFile: /c}}',
      '/c.yaml: prometheus.tls: certFile and keyFile go together; only one of them is set',
    ],
    [
      'prometheusUrl: http://p\nprometheus: {bearerTokenFile: /t, basicAuth: {username: u, passwordFile: /p}}',
      '/c.yaml: prometheus: set at most one of basicAuth, bearerTokenFile; both are set',
    ],
    [
      'prometheusUrl: http://p\nprometheus: {headers: [{name: a, value: b, valueFile: /c}]}',
      '/c.yaml: prometheus.headers[0]: set exactly one of value, valueFile',
    ],
    [
      'prometheus: {bearerTokenFile: /t}',
      'prometheus.bearerTokenFile is set, but no Prometheus to send it to: set prometheusUrl too',
    ],
    [
      'grafana: {bearerTokenFile: /t}',
      'grafana.bearerTokenFile is set, but no Grafana to send it to: set grafanaUrl too',
    ],
    [
      'alertmanagerUrl: am:9093',
      '/c.yaml: alertmanagerUrl: "am:9093" has the scheme am; http and https are allowed',
    ],
    [
      'grafanaUrl: https://g\ngrafana: {bearerTokenFile: /t, basicAuth: {username: u, passwordFile: /p}}',
      '/c.yaml: grafana: set at most one of basicAuth, bearerTokenFile; both are set',
    ],
    ['- a', '--config /c.yaml: it holds no fields; expected are lines such as `concurrency: 32`'],
  ];
  for (const [text, says] of rows) {
    test(`is refused with a sentence: ${text.replaceAll('\n', '; ')}`, () => {
      const found = problems({ argv, files: { '/c.yaml': text } });
      assert.ok(found.includes(says), found.join('\n'));
    });
  }

  test('says in which line it is no YAML', () => {
    const [words = ''] = problems({ argv, files: { '/c.yaml': 'a: 1\nb: [' } });
    assert.match(words, /^--config \/c\.yaml: it is no YAML: .*line 2/s);
  });

  test('never repeats a value that may be a credential', () => {
    for (const server of ['prometheus', 'alertmanager', 'grafana']) {
      const text = `${server}Url: http://p\n${server}: {headers: [{name: a, value: 271828}]}`;
      const found = problems({ argv, files: { '/c.yaml': text } }).join('\n');
      assert.ok(found.includes(`${server}.headers[0].value`), found);
      assert.doesNotMatch(found, /271828/);
    }
  });
});

describe('the environment', () => {
  test('names the pod and its namespace for the Lease', () => {
    const { lease } = run({ env: { POD_NAME: 'genesis-0', POD_NAMESPACE: 'ops' } });
    assert.match(lease?.identity ?? '', /^genesis-0_/);
    assert.equal(lease?.namespace, 'ops');
  });

  test('loses against the file', () => {
    const files = { '/c.yaml': 'lease: {namespace: other}' };
    const { lease } = run({ argv: ['--config', '/c.yaml'], env: { POD_NAMESPACE: 'ops' }, files });
    assert.equal(lease?.namespace, 'other');
  });

  test('gives two processes of one pod two identities', () => {
    const identity = () => run({ env: { POD_NAME: 'genesis-0' } }).lease?.identity;
    assert.notEqual(identity(), identity());
  });
});

describe('--help and --version', () => {
  test('--help names every flag, whatever else is said', () => {
    const result = read({ argv: ['--bogus', '--help'] });
    assert.equal(result.type, 'show');
    for (const flag of ['--kubeconfig FILE', '--leader-elect', '--config FILE', '--version']) {
      assert.ok(result.text.includes(flag), flag);
    }
  });

  test('-h is --help', () => assert.equal(read({ argv: ['-h'] }).type, 'show'));

  test('--version prints a version', () => {
    const result = read({ argv: ['--version'] });
    assert.equal(result.type, 'show');
    assert.match(result.text, /^[0-9]+\.[0-9]+\.[0-9]+/);
  });
});
