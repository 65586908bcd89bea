/** `kubectl genesis` against a real API server with a real operator: every command, on good, missing and broken objects. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decisionPolicyName } from '#api/decision-policy.ts';
import type { Terminal } from '#cli/command.ts';
import { openKubectlClient } from '#kube/kubectl-client.ts';
import { systemClock as clock } from '#runtime/clock.ts';
import type { KubeObject } from '#scripts/testbed/index.ts';
import { type Printed, runCli } from '#test/cli/terminal.ts';
import {
  arm,
  namespace,
  type OperatorWorld,
  referenceTo,
  rollout,
  route,
  startOperatorWorld,
  statusOf,
} from './operator-world.ts';
import { roleFor } from './people.ts';

/** Nobody's operator looks after it. */
const ELSEWHERE = 'elsewhere';
const everyVerb = 'approve reject promote pause resume abort retry extend acknowledge'.split(' ');
/** `alice` may do everything that is to be done with decisions, `bob` looks, `carol` decides unseen, `dave` nothing. */
const users = ['alice', 'bob', 'carol', 'dave'].map((name) => ({ name }));

let world: OperatorWorld;

before(async () => {
  world = await startOperatorWorld({ users });
  const { client } = world.plane;
  await client.applyFiles('deploy/cluster/admission-policies.yaml');
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ELSEWHERE } });
  const made = [...arm('stable'), ...arm('canary'), ...rights()];
  for (const object of made) await client.apply(object);
  const steps = [
    { name: 'dark', at: '0s', weight: 0 },
    { name: 'half', at: '1s', weight: 50 },
    { name: 'full', at: '2s', weight: 100, approval: { quorum: 1 } },
  ];
  for (const name of ['moving', 'aborted', 'gated']) await client.apply(route(name));
  await client.apply(rollout('moving', {}));
  await client.apply(rollout('aborted', {}));
  await client.apply(rollout('gated', { schedule: { steps, end: '3s' } }));
  await client.apply(rollout('refused', { triggers: [broken] }));
  for (const name of ['unseen', 'damaged']) await client.apply(inElsewhere(rollout(name, {})));
  await damage('damaged');
  await Promise.all([reaches('moving', 50), reaches('aborted', 50), isHeld('gated')]);
});
after(async () => {
  await world.stop();
});

const broken = { name: 'x', severity: 'Critical', query: 'sum(', condition: '> 1' };

function inElsewhere(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, namespace: ELSEWHERE } };
}

function rights(): KubeObject[] {
  const rule = (resource: string, verbs: readonly string[]) => ({
    apiGroups: ['genesis.dev'],
    resources: [resource],
    verbs,
  });
  const reads = ['get', 'list'];
  return [
    ...roleFor(namespace, 'looks', [rule('genesisrollouts', reads)], ['alice', 'bob', 'carol']),
    ...roleFor(ELSEWHERE, 'looks', [rule('genesisrollouts', reads)], ['alice']),
    ...roleFor(namespace, 'decides', [rule('genesisdecisions', ['create'])], ['alice', 'carol']),
    ...roleFor(ELSEWHERE, 'decides', [rule('genesisdecisions', ['create'])], ['alice']),
    ...roleFor(namespace, 'sees', [rule('genesisdecisions', ['get'])], ['alice']),
    ...roleFor(ELSEWHERE, 'may', [rule('genesisrollouts', everyVerb)], ['alice']),
    ...roleFor(namespace, 'may', [rule('genesisrollouts', everyVerb)], ['alice']),
    ...roleFor(namespace, 'may-pause', [rule('genesisrollouts', ['pause', 'resume'])], ['carol']),
  ];
}

async function reaches(name: string, weight: number): Promise<void> {
  await world.plane.client.waitFor(
    referenceTo('GenesisRollout', name),
    (object) => statusOf(object).weight === weight && statusOf(object).step === 'half',
    60_000,
  );
}

async function isHeld(name: string): Promise<void> {
  await world.plane.client.waitFor(
    referenceTo('GenesisRollout', name),
    (object) => statusOf(object).holds?.[0]?.reason === 'ApprovalRequired',
    60_000,
  );
}

/** What the schema of the status lets through, and no operator writes. */
async function damage(name: string): Promise<void> {
  const path = `/apis/genesis.dev/v1alpha1/namespaces/${ELSEWHERE}/genesisrollouts/${name}/status`;
  const plan = [{ name: 'half', kind: 'Leap', dueAt: 'tomorrow' }];
  const status = { phase: 'Dancing', revision: 'v2', runId: 'r', weight: -7, plan };
  const answer = await world.plane.client.send('PATCH', path, {
    body: { status },
    contentType: 'application/merge-patch+json',
  });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

/** In the name of a user, with kubectl's flags in place of a kubeconfig. */
function as(user: string, ...argv: readonly string[]): Promise<Printed> {
  const { url, caFile, tokens } = world.plane;
  const [command = '', ...rest] = argv;
  const place = rest.includes('-n') || rest.includes('-A') ? [] : ['-n', namespace];
  const who = [
    '--server',
    url,
    '--certificate-authority',
    caFile,
    '--token',
    tokens[user] ?? 'nobody',
  ];
  return cli([command, ...rest, ...place, ...who]);
}

function cli(argv: readonly string[], env: Record<string, string> = {}): Promise<Printed> {
  const connect: Terminal['connect'] = (options) =>
    Promise.resolve().then(() => openKubectlClient({ ...options, env, clock, version: 'test' }));
  return runCli(argv, { env, connect });
}

interface Row {
  readonly name: string;
  readonly user: string;
  readonly argv: string;
  readonly code: number;
  readonly says: RegExp;
}

function table(rows: readonly Row[]): void {
  for (const { name, user, argv, code, says } of rows) {
    test(name, async () => {
      const printed = await as(user, ...argv.split(' '));
      const text = printed.out + printed.err;
      assert.equal(printed.code, code, text);
      assert.match(text, says);
      if (code !== 0) assert.match(printed.err, /^error: /);
      if (code === 0) assert.equal(printed.err, '');
    });
  }
}

describe('get', () => {
  table([
    {
      name: 'lists the namespace',
      user: 'bob',
      argv: 'get',
      code: 0,
      says: /^NAME +PHASE +STEP +WEIGHT +NEXT +AGE\n(.*\n)*moving +Progressing +half +50% +full \(100%\) in 4d3h/,
    },
    {
      name: 'takes its flags before the command too, and the kind before the name',
      user: 'bob',
      argv: 'get gr/moving --no-headers',
      code: 0,
      says: /^moving +Progressing/,
    },
    {
      name: 'says more in wide lines',
      user: 'bob',
      argv: 'get gated -o wide',
      code: 0,
      says: /REVISION +HOLDS +MESSAGE\ngated +Held +half +50% +full \(100%\) due +\S+ +v2 +ApprovalRequired +full needs 1 approval/,
    },
    {
      name: 'prints names',
      user: 'bob',
      argv: 'get moving -o name',
      code: 0,
      says: /^genesisrollout\.genesis\.dev\/moving\n$/,
    },
    {
      name: 'selects by field',
      user: 'bob',
      argv: 'get -o name --field-selector status.phase=Held',
      code: 0,
      says: /^genesisrollout\.genesis\.dev\/gated\n$/,
    },
    {
      name: 'shows what can be read of a damaged object',
      user: 'alice',
      argv: 'get damaged -n elsewhere',
      code: 0,
      says: /damaged +Dancing +<none> +-7% +- /,
    },
    {
      name: 'shows those that are there, and names the missing one',
      user: 'bob',
      argv: 'get moving movin',
      code: 3,
      says: /moving +Progressing(.*\n)*error: there is no rollout "movin" in namespace shop; did you mean moving\?/,
    },
    {
      name: 'knows where a missing one is',
      user: 'admin',
      argv: 'get unseen',
      code: 3,
      says: /there is no rollout "unseen" in namespace shop; there is one elsewhere: -n elsewhere/,
    },
    {
      name: 'says what is there where nothing is like it',
      user: 'bob',
      argv: 'get completely-different',
      code: 3,
      says: /there are aborted, gated, moving, refused/,
    },
    {
      name: 'is forbidden to whoever may not look',
      user: 'dave',
      argv: 'get',
      code: 4,
      says: /genesisrollouts\.genesis\.dev is forbidden: User "dave" cannot list .*\nerror: whoever gives out rights/,
    },
    {
      name: 'is refused to a token that nobody has',
      user: 'nobody',
      argv: 'get',
      code: 4,
      says: /^error: Unauthorized\nerror: https:\S+ does not know you: log in again/,
    },
    {
      name: 'says that another kind is no rollout',
      user: 'bob',
      argv: 'get deployment/stable',
      code: 2,
      says: /deployment\/stable is no GenesisRollout: name one as NAME or gr\/NAME/,
    },
    {
      name: 'refuses an output that there is not',
      user: 'bob',
      argv: 'get -o jsn',
      code: 2,
      says: /--output "jsn" is not one of .*; did you mean json\?/,
    },
    {
      name: 'refuses a label selector that cannot be read, in the words of the API server',
      user: 'bob',
      argv: 'get -l a==b==c',
      code: 2,
      says: /^error: found '=='/,
    },
  ]);

  test('prints an empty list, and says so', async () => {
    const { client } = world.plane;
    await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'empty' } });
    assert.deepEqual(await as('admin', 'get', '-n', 'empty'), {
      code: 0,
      out: '',
      err: 'No rollouts found in namespace empty.\n',
    });
  });

  test('prints one object, and lists of them, for programs', async () => {
    const one = await as('bob', 'get', 'moving', '-ojson');
    const object = JSON.parse(one.out) as KubeObject;
    assert.equal(object.metadata.name, 'moving');
    assert.equal('managedFields' in object.metadata, false);
    const all = await as('bob', 'get', '-o', 'json');
    assert.equal((JSON.parse(all.out) as { items: unknown[] }).items.length, 4);
    const everywhere = await as('admin', 'get', '-A', '-o=yaml');
    assert.match(everywhere.out, /^apiVersion: v1\nkind: List\n/);
  });
});

describe('status', () => {
  table([
    {
      name: 'is a page',
      user: 'bob',
      argv: 'status moving',
      code: 0,
      says: /^shop\/moving .*\nProgressing, canary 50%\n(.*\n)*PLAN\n(.*\n)*TRAFFIC\n {2}asked 50%, measured 50%(.*\n)*TRIGGERS/,
    },
    {
      name: 'says why the operator refuses a spec',
      user: 'bob',
      argv: 'status refused',
      code: 0,
      says: /\nPending\n(.*\n)*.*No run begins, and traffic is not touched, until this is put right\n? *\(InvalidSpec\)/,
    },
    {
      name: 'says that nobody has looked at a rollout yet',
      user: 'alice',
      argv: 'status unseen -n elsewhere',
      code: 0,
      says: /\nNew\n(.*\n)* {2}The operator has not looked at this rollout yet/,
    },
    {
      name: 'shows what can be read of a damaged one',
      user: 'alice',
      argv: 'status damaged -n elsewhere',
      code: 0,
      says: /\nDancing, canary -7%\n/,
    },
    {
      name: 'needs a name',
      user: 'bob',
      argv: 'status',
      code: 2,
      says: /status needs the NAME of a rollout/,
    },
    {
      name: 'takes one name',
      user: 'bob',
      argv: 'status moving gated',
      code: 2,
      says: /status takes one NAME; what is "gated"\?/,
    },
    {
      name: 'finds none that is missing',
      user: 'bob',
      argv: 'status gatd',
      code: 3,
      says: /did you mean gated\?/,
    },
    {
      name: 'is forbidden to whoever may not look',
      user: 'dave',
      argv: 'status moving',
      code: 4,
      says: /User "dave" cannot get/,
    },
  ]);
});

describe('a decision', () => {
  table([
    {
      name: 'pauses',
      user: 'alice',
      argv: 'pause moving --reason lunch',
      code: 0,
      says: /^Pause by alice \(moving-\w+\): lunch is applied\n$/,
    },
    {
      name: 'is told to those who may not read decisions, out of the rollout',
      user: 'carol',
      argv: 'resume moving',
      code: 0,
      says: /^Resume by carol \(moving-\w+\) is applied\n$/,
    },
    {
      name: 'is refused by the operator, with its reason',
      user: 'alice',
      argv: 'resume moving',
      code: 4,
      says: /Resume by alice .* is refused: nothing that a person could lift holds it/,
    },
    {
      name: 'about the wrong phase is refused',
      user: 'alice',
      argv: 'retry moving',
      code: 4,
      says: /the run is Progressing; only an ended one can be retried/,
    },
    {
      name: 'extends',
      user: 'alice',
      argv: 'extend moving',
      code: 0,
      says: /^Extend by alice .* is applied/,
    },
    {
      name: 'acknowledges no trigger that is quiet',
      user: 'alice',
      argv: 'acknowledge moving errors',
      code: 4,
      says: /trigger errors is Inactive/,
    },
    {
      name: 'about a trigger that there is not names the nearest',
      user: 'alice',
      argv: 'acknowledge moving error',
      code: 2,
      says: /there is no trigger "error"; did you mean errors\?/,
    },
    {
      name: 'about no trigger in particular needs one that fires',
      user: 'alice',
      argv: 'acknowledge moving',
      code: 2,
      says: /no trigger of moving fires unacknowledged; name the one you mean: errors, canary-down/,
    },
    {
      name: 'about a step that there is not names those there are',
      user: 'alice',
      argv: 'approve moving --step ful',
      code: 2,
      says: /there is no step "ful"; did you mean full\?/,
    },
    {
      name: 'about a step that needs none is refused',
      user: 'alice',
      argv: 'approve moving --step full',
      code: 4,
      says: /step full needs no approval/,
    },
    {
      name: 'where no step waits names the steps',
      user: 'alice',
      argv: 'approve moving',
      code: 2,
      says: /no step of moving waits for approval; name one to approve with --step: dark, half, full/,
    },
    {
      name: 'is forbidden by the policy to whoever has no verb',
      user: 'carol',
      argv: 'abort moving',
      code: 4,
      says: /carol may not abort rollout moving: a Role must allow the verb abort/,
    },
    {
      name: 'is forbidden to whoever may not make decisions',
      user: 'bob',
      argv: 'pause moving',
      code: 4,
      says: /User "bob" cannot create resource "genesisdecisions"/,
    },
    {
      name: 'is forbidden to whoever may not look',
      user: 'dave',
      argv: 'pause moving',
      code: 4,
      says: /User "dave" cannot get/,
    },
    {
      name: 'about a missing rollout finds none',
      user: 'alice',
      argv: 'abort movin',
      code: 3,
      says: /did you mean moving\?/,
    },
    {
      name: 'that no operator answers times out, and stays',
      user: 'alice',
      argv: 'pause unseen -n elsewhere --wait 1s',
      code: 5,
      says: /the operator has not answered unseen-\w+ within 1s: is it running\?\nerror: the decision stays/,
    },
    {
      name: 'is not waited for with --wait 0s',
      user: 'alice',
      argv: 'pause unseen -n elsewhere --wait 0s',
      code: 0,
      says: /^GenesisDecision unseen-\w+ is made\n$/,
    },
    {
      name: 'about a damaged object is made all the same',
      user: 'alice',
      argv: 'pause damaged -n elsewhere --wait 0s',
      code: 0,
      says: /is made\n$/,
    },
    {
      name: 'has a flag that is mistyped',
      user: 'alice',
      argv: 'pause moving --reson lunch',
      code: 2,
      says: /unknown flag --reson; did you mean --reason\?/,
    },
    {
      name: 'has no step where none belongs',
      user: 'alice',
      argv: 'pause moving --step full',
      code: 2,
      says: /unknown flag --step/,
    },
    {
      name: 'needs a name',
      user: 'alice',
      argv: 'abort',
      code: 2,
      says: /abort needs the NAME of a rollout/,
    },
  ]);

  test('approves the step that waits, without being told which', async () => {
    // What was made in the first seconds of the policy does not count yet.
    const argv = ['approve', 'gated', '-o', 'json'];
    const printed = await polled('alice', argv, ({ code }) => code === 0);
    assert.equal(printed.code, 0, printed.err);
    const decision = JSON.parse(printed.out) as {
      spec: Record<string, string>;
      status: Record<string, string>;
    };
    const { decision: kind, step, by, revision, runId } = decision.spec;
    assert.deepEqual(
      { kind, step, by, revision },
      { kind: 'Approve', step: 'full', by: 'alice', revision: 'v2' },
    );
    assert.notEqual(runId, undefined);
    assert.equal(decision.status['outcome'], 'Applied');
  });

  test('aborts, is followed to its end, and is tried again', async () => {
    const aborted = await as('alice', 'abort', 'aborted', '--reason', 'enough');
    assert.equal(aborted.code, 0, aborted.err);
    const watched = await as('bob', 'watch', 'aborted', '--timeout', '60s');
    assert.equal(watched.code, 6, watched.out + watched.err);
    assert.match(watched.out, /^\S+ \S+Z {2}phase (?:RollingBack|RolledBack): /);
    assert.match(watched.err, /^error: aborted is rolled back: .*aborted by Abort by alice/);
    const again = await as('alice', 'retry', 'aborted');
    assert.equal(again.code, 0, again.err);
    const moving = await as(
      'bob',
      'watch',
      'aborted',
      '--until',
      'progressing',
      '--timeout',
      '60s',
    );
    assert.equal(moving.code, 0, moving.out + moving.err);
  });

  test('by an approval counts for nothing where the policy is missing, and says so', async () => {
    const binding = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      name: decisionPolicyName,
    };
    const { client } = world.plane;
    await client.apply(route('unchecked'));
    const steps = [
      { name: 'half', at: '0s', weight: 50 },
      { name: 'full', at: '100h', weight: 100, approval: { quorum: 1 } },
    ];
    await client.apply(rollout('unchecked', { schedule: { steps, end: '101h' } }));
    await reaches('unchecked', 50);
    await client.delete(binding);
    try {
      const refused = await polled('alice', ['approve', 'unchecked'], ({ code }) => code === 4);
      assert.equal(refused.code, 4, refused.out + refused.err);
      assert.match(
        refused.err,
        /ValidatingAdmissionPolicyBinding decisions\.genesis\.dev is not in/,
      );
    } finally {
      await client.applyFiles('deploy/cluster/admission-policies.yaml');
    }
  });
});

async function polled(
  user: string,
  argv: readonly string[],
  isWanted: (printed: Printed) => boolean,
) {
  for (let n = 0; ; n += 1) {
    const printed = await as(user, ...argv);
    if (isWanted(printed) || n >= 30) return printed;
    await sleep(500);
  }
}

describe('watch', () => {
  table([
    {
      name: 'ends at the phase that is there already',
      user: 'bob',
      argv: 'watch moving --until Progressing',
      code: 0,
      says: /phase Progressing: next is full/,
    },
    {
      name: 'ends when its time is over',
      user: 'bob',
      argv: 'watch moving --timeout 1s',
      code: 5,
      says: /error: moving is not over after 1s: it is Progressing/,
    },
    {
      name: 'does not wait for a spec that is refused',
      user: 'bob',
      argv: 'watch refused',
      code: 4,
      says: /error: refused is not begun: .*not PromQL/,
    },
    {
      name: 'waits for a rollout that nobody looks at',
      user: 'alice',
      argv: 'watch unseen -n elsewhere --timeout 1s',
      code: 5,
      says: /phase New\n(.*\n)*error: unseen is not over after 1s: it is New/,
    },
    {
      name: 'knows the phases',
      user: 'bob',
      argv: 'watch moving --until Progresing',
      code: 2,
      says: /--until "Progresing" is not one of .* did you mean Progressing\?/,
    },
    {
      name: 'finds none that is missing',
      user: 'bob',
      argv: 'watch movin',
      code: 3,
      says: /did you mean moving\?/,
    },
    {
      name: 'takes a duration',
      user: 'bob',
      argv: 'watch moving --timeout soon',
      code: 2,
      says: /--timeout "soon" is not a duration/,
    },
  ]);

  test('ends with 0 when the run has succeeded, and tells what happened on the way', async () => {
    const printed = await as('bob', 'watch', 'gated', '--timeout', '60s');
    assert.equal(printed.code, 0, printed.out + printed.err);
    assert.match(printed.out, /phase Succeeded/);
  });

  test('ends when the rollout is deleted meanwhile', async () => {
    const watching = as('bob', 'watch', 'unchecked', '--timeout', '60s');
    await sleep(1_000);
    await world.plane.client.delete(referenceTo('GenesisRollout', 'unchecked'));
    const printed = await watching;
    assert.equal(printed.code, 3, printed.out + printed.err);
    assert.match(printed.err, /rollout unchecked has been deleted/);
  });
});

describe('the server', () => {
  test('that has no CRDs is named', async () => {
    const { url, caFile, tokens } = world.plane;
    const who = ['--certificate-authority', caFile, '--token', tokens['admin'] ?? ''];
    // Nothing under this path is known to the server: what it answers is what it answers without the CRDs.
    const printed = await cli(['get', '--server', `${url}/nowhere`, ...who]);
    assert.equal(printed.code, 3, printed.out + printed.err);
    assert.match(printed.err, /knows no genesisrollouts\.genesis\.dev: the CRDs are not installed/);
  });

  test('whose certificate is of another authority is named', async () => {
    const { url, tokens } = world.plane;
    const printed = await cli(['get', '--server', url, '--token', tokens['admin'] ?? '']);
    assert.equal(printed.code, 1, printed.out + printed.err);
    assert.match(printed.err, /the certificate of https:\S+ is not the one the kubeconfig trusts/);
  });

  test('is found by a kubeconfig, as somebody else where that is asked for', async () => {
    const { kubeconfigPath } = world.plane;
    const env = { KUBECONFIG: `/does/not/exist:${kubeconfigPath}` };
    const mine = await cli(['get', 'moving', '-n', namespace, '-o', 'name'], env);
    assert.deepEqual(mine, { code: 0, out: 'genesisrollout.genesis.dev/moving\n', err: '' });
    const asDave = await cli(['get', '-n', namespace, '--as', 'dave'], env);
    assert.equal(asDave.code, 4, asDave.err);
    assert.match(asDave.err, /User "dave" cannot list/);
    const inGroup = ['--as', 'dave', '--as-group', 'system:masters', '--as-group', 'people'];
    const asMaster = await cli(['get', 'moving', '-n', namespace, '-o', 'name', ...inGroup], env);
    assert.equal(asMaster.code, 0, asMaster.err);
    const nowhere = await cli(['get', '--context', 'testbd'], env);
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.err, /the kubeconfig has no context "testbd"; it has: testbed/);
  });

  test('is asked by the bundle itself, logged in by a program, and ends with the code', async () => {
    const { url, caFile, tokens, kubeconfigPath } = world.plane;
    const status = { token: tokens['bob'] };
    const apiVersion = 'client.authentication.k8s.io/v1';
    const credential = JSON.stringify({ apiVersion, kind: 'ExecCredential', status });
    const exec = { apiVersion, command: 'echo', args: [credential], interactiveMode: 'Never' };
    const config = {
      'current-context': 'own',
      clusters: [{ name: 'own', cluster: { server: url, 'certificate-authority': caFile } }],
      users: [{ name: 'bob', user: { exec } }],
      contexts: [{ name: 'own', context: { cluster: 'own', user: 'bob', namespace } }],
    };
    const file = join(dirname(kubeconfigPath), 'logged-in.json');
    await writeFile(file, JSON.stringify(config));
    const bundle = join(import.meta.dirname, '../../dist/kubectl-genesis.mjs');
    const run = (...argv: string[]) =>
      new Promise<Printed>((resolve) => {
        const env = { ...process.env, KUBECONFIG: file };
        execFile(process.execPath, [bundle, ...argv], { env }, (error, out, err) => {
          resolve({ code: (error?.code ?? 0) as Printed['code'], out, err });
        });
      });
    const [found, page, missing, forbidden] = await Promise.all([
      run('--context', 'own', 'get', 'moving', '-o', 'name'),
      run('status', 'moving'),
      run('status', 'movin'),
      run('pause', 'moving'),
    ]);
    assert.deepEqual(found, { code: 0, out: 'genesisrollout.genesis.dev/moving\n', err: '' });
    assert.equal(page.code, 0, page.err);
    assert.match(page.out, /^shop\/moving /);
    assert.equal(missing.code, 3);
    assert.match(missing.err, /^error: there is no rollout "movin" .* did you mean moving\?\n$/);
    assert.equal(forbidden.code, 4);
    assert.match(forbidden.err, /User "bob" cannot create resource "genesisdecisions"/);
  });
});
