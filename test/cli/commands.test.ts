/** What the command line does without a server: flags, help, completion, and what it says when there is no answer. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { exitCodes, type Terminal } from '#cli/command.ts';
import { commandHelp, rootHelp } from '#cli/help.ts';
import { commands } from '#cli/run-command.ts';
import { KubeconfigProblem } from '#kube/kubeconfig-problem.ts';
import type { NewObject } from '#kube/kubectl-client.ts';
import { openKubectlClient } from '#kube/kubectl-client.ts';
import { namespaceOf, readKubectlConfig } from '#kube/kubectl-config.ts';
import { ClusterError, type ClusterFault, type KubeObject } from '#ports/cluster.ts';
import { systemClock as clock } from '#runtime/clock.ts';
import { pageWorlds } from './page-worlds.ts';
import { runCli } from './terminal.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'genesis-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A server with one rollout, or one that fails in a certain way. */
function serverOf(
  answer: KubeObject | ClusterError,
  made: NewObject[] = [],
): Pick<Terminal, 'connect'> {
  const say = <T>(value: T): Promise<T> =>
    answer instanceof ClusterError ? Promise.reject(answer) : Promise.resolve(value);
  return {
    connect: () =>
      Promise.resolve({
        server: 'https://api.example',
        namespace: 'shop',
        get: (resource) =>
          resource.kind === 'GenesisRollout' && !(answer instanceof ClusterError)
            ? Promise.resolve(answer)
            : say(undefined),
        list: () => say(answer instanceof ClusterError ? [] : [answer]),
        create: (_resource, object) => {
          made.push(object);
          const metadata = { name: 'checkout-1', namespace: 'shop', uid: 'u' };
          return say({ ...object, metadata });
        },
        whoAmI: () => say('alice'),
        forward: () => Promise.reject(new Error('nothing is forwarded')),
        close: () => Promise.resolve(),
      }),
  };
}

function objectOf(name: string): KubeObject {
  const world = pageWorlds[name];
  assert.ok(world !== undefined);
  return world().object;
}

describe('the command line', () => {
  const rows: readonly [name: string, argv: string, code: number, says: RegExp][] = [
    ['names its commands', '', 0, /^Usage: kubectl genesis COMMAND \[flags\]\n(.*\n)* {2}get /],
    ['tells its version', '--version', 0, /^\S+\n$/],
    [
      'knows what was probably meant',
      'aproove x',
      2,
      /no command "aproove"; did you mean approve\?/,
    ],
    ['explains a command', 'help watch', 0, /^Usage: kubectl genesis watch NAME \[flags\]/],
    [
      'explains it after its name too',
      'watch x --help',
      0,
      /Exit codes:\n(.*\n)* {2}6 {2}the run has been rolled back/,
    ],
    ['refuses a flag without its value', 'get -n', 2, /error: -n needs a value: -n NAME/],
    ['refuses a flag that there is not', 'get --colour', 2, /unknown flag --colour; --help names/],
    ['refuses a group without a user', 'get --as-group x', 2, /--as-group needs --as/],
    [
      'refuses a time-out that is none',
      'get --request-timeout soon',
      2,
      /--request-timeout "soon" is not a duration/,
    ],
    [
      'refuses a name that no object has',
      'status Checkout!',
      2,
      /"Checkout!" is no name of a rollout/,
    ],
    [
      'refuses names beside a selection',
      'get checkout -A',
      2,
      /a rollout is named \(checkout\), so -A, -l/,
    ],
  ];
  for (const [name, argv, code, says] of rows) {
    test(name, async () => {
      const printed = await runCli(argv.split(' ').filter((word) => word !== ''));
      assert.equal(printed.code, code, printed.out + printed.err);
      assert.match(printed.out + printed.err, says);
    });
  }

  test('explains every command from its own table, and the reference says the same', async () => {
    const reference = readFileSync(join(root, 'docs/reference/cli.md'), 'utf8');
    for (const [name, { what, load }] of Object.entries(commands)) {
      const { spec } = await load();
      const help = commandHelp(name, what, spec);
      for (const flag of Object.keys(spec.flags)) {
        assert.match(help, new RegExp(` --${flag}(?: |\\n)`));
        assert.ok(reference.includes(`--${flag}`), flag);
      }
      assert.ok(rootHelp(commands).includes(what));
      for (const exit of spec.exits) assert.ok(help.includes(`  ${exitCodes[exit]}  `));
    }
  });

  test('understands every command that its help and the docs show', async () => {
    const specs = await Promise.all(
      Object.values(commands).map(async (one) => (await one.load()).spec),
    );
    const examples = specs.flatMap(({ examples }) => examples.map(([command]) => command));
    const pages = ['docs', 'docs/reference'].flatMap((path) =>
      readdirSync(join(root, path))
        .filter((file) => file.endsWith('.md'))
        .map((file) => readFileSync(join(root, path, file), 'utf8')),
    );
    const shown = pages.flatMap((text) => text.match(/^kubectl genesis [a-z].*$/gm) ?? []);
    const lines = [...new Set([...examples, ...shown])].filter(
      (line) => !/NAME|FILE|…|__complete| [-]f |\[flags\]/.test(line),
    );
    assert.ok(lines.length > 20);
    for (const line of lines) {
      const [command = ''] = line.split(/ (?:\|\||&&|\|) /);
      const words = (command.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ''));
      const unreachable = serverOf(new ClusterError('unavailable', 'nobody there'));
      const printed = await runCli(words.slice(2), { ...unreachable, readText: () => '' });
      const isFile = /: is not|scenario|no GenesisRollout|document/.test(printed.err);
      assert.ok(printed.code === 1 || isFile, `${line}\n${printed.err}`);
    }
  });
});

describe('a server that does not help', () => {
  const rows: readonly [
    ClusterFault,
    message: string,
    status: number,
    code: number,
    says: RegExp,
  ][] = [
    [
      'unavailable',
      'GET / failed: connect ECONNREFUSED',
      0,
      1,
      /nobody answers at https:\/\/api\.example: is the cluster up/,
    ],
    [
      'unavailable',
      'GET / failed: certificate has expired',
      0,
      1,
      /the certificate of https:\/\/api\.example has expired/,
    ],
    [
      'unavailable',
      'GET / failed: self-signed certificate',
      0,
      1,
      /is not the one the kubeconfig trusts/,
    ],
    [
      'unavailable',
      'GET / failed: getaddrinfo ENOTFOUND x',
      0,
      1,
      /the name in https:\/\/api\.example is not known/,
    ],
    [
      'unavailable',
      'GET / failed: spawn aws ENOENT',
      0,
      1,
      /the program that the kubeconfig runs to log in/,
    ],
    ['unavailable', 'GET / answered 503', 503, 1, /is in trouble itself/],
    ['timeout', 'GET /: no answer within 15000 ms', 0, 1, /did not answer in time/],
    ['unauthorized', 'GET / answered 401', 401, 4, /does not know you: log in again/],
    ['forbidden', 'GET / answered 403: bob cannot', 403, 4, /whoever gives out rights/],
    ['notFound', 'GET / answered 404', 404, 3, /the CRDs are not installed/],
    ['throttled', 'GET / answered 429', 429, 1, /busy: try again/],
  ];
  for (const [fault, message, status, code, says] of rows) {
    test(`says so: ${message}`, async () => {
      const printed = await runCli(['get'], serverOf(new ClusterError(fault, message, { status })));
      assert.equal(printed.code, code);
      assert.equal(printed.out, '');
      assert.match(printed.err, says);
    });
  }

  test('is left alone after Ctrl-C', async () => {
    const interruption = new AbortController();
    interruption.abort(new Error('interrupted'));
    const error = new ClusterError('timeout', 'GET /: stopped');
    const overrides = { ...serverOf(error), interrupted: interruption.signal };
    assert.deepEqual(await runCli(['get'], overrides), { code: 130, out: '', err: '' });
  });
});

describe('a decision', () => {
  test('is about the run as it stands, the step that waits, and whoever asks', async () => {
    const made: NewObject[] = [];
    const server = serverOf(objectOf('waiting-for-approval'), made);
    const argv = ['approve', 'checkout', '--wait', '0s', '--reason', 'good', '-o', 'name'];
    const printed = await runCli(argv, server);
    assert.equal(printed.code, 0, printed.err);
    const [object] = made;
    const { runId } = objectOf('waiting-for-approval')['status'] as { runId: string };
    assert.deepEqual(object, {
      apiVersion: 'genesis.dev/v1alpha1',
      kind: 'GenesisDecision',
      metadata: { generateName: 'checkout-', namespace: 'shop' },
      spec: {
        rollout: 'checkout',
        revision: 'v2',
        runId,
        step: 'full',
        decision: 'Approve',
        by: 'alice',
        reason: 'good',
      },
    });
  });

  test('acknowledges the one trigger that fires', async () => {
    const made: NewObject[] = [];
    const server = serverOf(objectOf('held'), made);
    assert.equal((await runCli(['acknowledge', 'checkout', '--wait', '0s'], server)).code, 0);
    assert.equal(Reflect.get(made[0]?.spec ?? {}, 'step'), 'latency-raised');
  });

  test('about a rollout without a run goes by the revision of its spec', async () => {
    const made: NewObject[] = [];
    const server = serverOf(objectOf('new'), made);
    assert.equal((await runCli(['pause', 'checkout', '--wait', '0s'], server)).code, 0);
    const spec: object = made[0]?.spec ?? {};
    const [revision, runId] = ['revision', 'runId'].map(
      (field) => Reflect.get(spec, field) as unknown,
    );
    assert.deepEqual({ revision, runId }, { revision: 'v2', runId: undefined });
  });

  test('about a rollout that is being deleted is refused here', async () => {
    const object = objectOf('moving');
    const metadata = { ...object.metadata, deletionTimestamp: '2026-11-02T10:00:00Z' };
    const printed = await runCli(['pause', 'checkout'], serverOf({ ...object, metadata }));
    assert.equal(printed.code, 4);
    assert.match(printed.err, /is being deleted, so there is nothing to decide/);
  });
});

describe('completion', () => {
  const rows: readonly [name: string, words: string[], out: RegExp][] = [
    ['offers commands', ['ap'], /^approve\tApproves a step\.\n:4\n$/],
    ['offers names with their phases', ['status', ''], /^checkout\tHeld\n:4\n$/],
    ['offers nothing twice', ['status', 'checkout', ''], /^:4\n$/],
    ['offers flags', ['watch', 'checkout', '--unt'], /^--until\t.*\n:4\n$/],
    ['offers values', ['get', '-o', 'y'], /^yaml\t\n:4\n$/],
    ['offers phases', ['watch', 'checkout', '--until', 'S'], /^Succeeded\t\n:4\n$/],
    ['offers steps', ['approve', 'checkout', '--step', 'f'], /^full\t\n:4\n$/],
    ['offers triggers', ['acknowledge', 'checkout', 'latency-'], /^latency-raised\tFiring\n:4\n$/],
    ['offers namespaces', ['get', '-n', ''], /^shop\t\n:4\n$/],
    ['leaves files to the shell', ['simulate', ''], /^:0\n$/],
  ];
  for (const [name, words, out] of rows) {
    test(name, async () => {
      const printed = await runCli(['__complete', ...words], serverOf(objectOf('held')));
      assert.equal(printed.code, 0);
      assert.match(printed.out, out);
    });
  }

  test('is silent where there is no server', async () => {
    const server = serverOf(new ClusterError('unavailable', 'nobody'));
    const printed = await runCli(['__complete', 'status', ''], server);
    assert.deepEqual(printed, { code: 0, out: ':4\n', err: '' });
  });
});

describe('a kubeconfig', () => {
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const config = (name: string, more = '') =>
    file(
      name,
      `current-context: ${name}
clusters: [{name: ${name}, cluster: {server: "https://${name}.example/"}}, {name: shared, cluster: {server: "https://${name}.shared"}}]
users: [{name: ${name}, user: {token: ${name}-token, exec: {command: no-such-program, apiVersion: client.authentication.k8s.io/v1}}}]
contexts: [{name: ${name}, context: {cluster: ${name}, user: ${name}, namespace: of-${name}}}, {name: ${name}-2, context: {cluster: shared, user: ${name}}}]
${more}`,
    );
  const first = config('first');
  const second = config('second');
  const serverIn = (...input: Parameters<typeof readKubectlConfig>) =>
    readKubectlConfig(...input).getCurrentCluster()?.server;

  test('of several files the first one that names something wins, and a missing one is passed over', () => {
    const env = { KUBECONFIG: `${join(folder, 'missing')}:${first}:${second}` };
    assert.equal(serverIn({}, env), 'https://first.example');
    assert.equal(serverIn({ context: 'second-2' }, env), 'https://first.shared');
    assert.equal(serverIn({ kubeconfig: second }, env), 'https://second.example');
    assert.equal(namespaceOf(readKubectlConfig({ context: 'second' }, env)), 'of-second');
    assert.equal(namespaceOf(readKubectlConfig({ context: 'first-2' }, env)), 'default');
    assert.equal(namespaceOf(readKubectlConfig({ namespace: 'mine' }, env)), 'mine');
  });

  test('is overridden by flags one by one', () => {
    const env = { KUBECONFIG: first };
    const flags = { server: 'https://other:6443/', token: 'mine', as: 'dave', tlsServerName: 'x' };
    const read = readKubectlConfig(
      { ...flags, clientCertificate: 'c.pem', skipTlsVerify: true },
      env,
    );
    const cluster = read.getCurrentCluster();
    assert.deepEqual(
      [cluster?.server, cluster?.skipTLSVerify, cluster?.tlsServerName],
      ['https://other:6443', true, 'x'],
    );
    const user = read.getCurrentUser();
    assert.deepEqual(
      [user?.token, user?.exec, user?.impersonateUser, user?.certFile],
      ['mine', undefined, 'dave', 'c.pem'],
    );
    assert.equal(readKubectlConfig({ cluster: 'shared' }, env).getCurrentUser()?.name, 'first');
    assert.equal(serverIn({ server: 'http://alone' }, { HOME: folder }), 'http://alone');
  });

  const problems: readonly [string, Parameters<typeof readKubectlConfig>, RegExp][] = [
    [
      'that is nowhere',
      [{}, { HOME: folder }],
      /there is no kubeconfig: .*\.kube.config does not exist; name one with --kubeconfig/,
    ],
    [
      'whose files are all missing',
      [{}, { KUBECONFIG: '/no/such' }],
      /no file of KUBECONFIG=\/no\/such exists/,
    ],
    [
      'that a flag names and is missing',
      [{ kubeconfig: '/no/such' }, {}],
      /kubeconfig \/no\/such: there is no such file/,
    ],
    ['that is a directory', [{ kubeconfig: folder }, {}], /it is a directory/],
    ['that is no YAML', [{ kubeconfig: file('bad', 'a: [') }, {}], /kubeconfig .*bad: /],
    [
      'that is something else',
      [{ kubeconfig: file('else', 'seven') }, {}],
      /the kubeconfig has no current context|it is no kubeconfig/,
    ],
    [
      'that is empty',
      [{ kubeconfig: file('empty', '') }, {}],
      /no current context and no other one/,
    ],
    [
      'without the context',
      [{ context: 'third' }, { KUBECONFIG: first }],
      /no context "third"; it has: first, first-2/,
    ],
    [
      'without the cluster',
      [{ cluster: 'third' }, { KUBECONFIG: first }],
      /no cluster "third"; it has: first, shared/,
    ],
    [
      'without the user',
      [{ user: 'third' }, { KUBECONFIG: first }],
      /no user "third"; it has: first/,
    ],
    [
      'without a current context',
      [{}, { KUBECONFIG: file('none', 'contexts: [{name: a, context: {cluster: b}}]') }],
      /no current context; choose one with --context: a/,
    ],
  ];
  for (const [name, input, says] of problems) {
    test(`${name} is named with what there is`, () => {
      assert.throws(
        () => readKubectlConfig(...input),
        (error) => error instanceof KubeconfigProblem && says.test(error.message),
      );
    });
  }

  test('may lead to a server without TLS, such as that of kubectl proxy', async () => {
    const server = createServer((_request, response) => {
      response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: [] }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connect: Terminal['connect'] = (options) =>
      Promise.resolve(
        openKubectlClient({ ...options, env: { HOME: folder }, clock, version: 'test' }),
      );
    const printed = await runCli(['get', '--server', `127.0.0.1:${port}`], { connect });
    server.closeAllConnections();
    server.close();
    assert.deepEqual(printed, {
      code: 0,
      out: '',
      err: 'No rollouts found in namespace default.\n',
    });
  });

  test('that cannot be used ends a command with 2', async () => {
    const env = { KUBECONFIG: '/no/such' };
    const connect: Terminal['connect'] = (options) =>
      Promise.resolve().then(() => openKubectlClient({ ...options, env, clock, version: 'test' }));
    const printed = await runCli(['get'], { env, connect });
    assert.equal(printed.code, 2);
    assert.match(printed.err, /^error: there is no kubeconfig/);
  });
});
