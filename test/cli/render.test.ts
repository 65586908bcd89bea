/** `kubectl genesis render`: what is printed for which flags, and what is said of files that are of no use. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { runCli } from './terminal.ts';

const root = join(import.meta.dirname, '../..');
const checkout = readFileSync(join(root, 'examples/checkout.yaml'), 'utf8');
const other = 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\n';

const render = (text: string, ...args: string[]) =>
  runCli(['render', 'rollout.yaml', ...args], { readText: () => text });

const kindsOf = (yaml: string) =>
  parseAllDocuments(yaml).map((document) => (document.toJS() as { kind: string }).kind);

describe('render', () => {
  test('prints all that is made, as YAML', async () => {
    const { code, out } = await render(checkout);
    assert.equal(code, 0);
    assert.deepEqual(kindsOf(out), ['PrometheusRule', 'ConfigMap']);
  });

  test('prints one kind alone, with labels and runbooks, as JSON', async () => {
    const { out } = await render(
      checkout,
      '--only',
      'prometheusrule',
      '-o',
      'json',
      '-l',
      'release=kps',
      '--runbook-url',
      'https://wiki.example/',
    );
    const object = JSON.parse(out) as {
      kind: string;
      metadata: { labels: Record<string, string> };
      spec: { groups: { rules: { annotations: Record<string, string> }[] }[] };
    };
    assert.equal(object.kind, 'PrometheusRule');
    assert.equal(object.metadata.labels['release'], 'kps');
    const [rule] = object.spec.groups[0]?.rules ?? [];
    assert.equal(rule?.annotations['runbook_url'], 'https://wiki.example/genesistrigger');
  });

  test('finds rollouts among other objects, and in a List', async () => {
    const several = await render(`${other}---\n${checkout}`);
    assert.deepEqual(kindsOf(several.out), ['PrometheusRule', 'ConfigMap']);
    const items = parseAllDocuments(checkout).map((document) => document.toJS() as object);
    const list = await render(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    assert.equal(list.out, several.out);
  });

  const refused: readonly (readonly [string, string, string[], RegExp])[] = [
    ['a file without a rollout', other, [], /rollout[.]yaml: there is no GenesisRollout in it/],
    ['a file that is no YAML', 'a: [', [], /rollout[.]yaml:[0-9]+:[0-9]+: not YAML/],
    [
      'a rollout that would be refused',
      checkout.replace('> 0.5%', '> 0.5 furlongs'),
      [],
      /furlongs/,
    ],
    ['an unknown kind', checkout, ['--only', 'dashbord'], /did you mean dashboard/],
    ['a label without a value', checkout, ['-l', 'release'], /not of the form NAME=VALUE/],
  ];
  for (const [what, text, args, says] of refused) {
    test(`refuses ${what}`, async () => {
      const { code, err } = await render(text, ...args);
      assert.equal(code, 2);
      assert.match(err, says);
    });
  }

  test('wants a file', async () => {
    const { code, err } = await runCli(['render']);
    assert.equal(code, 2);
    assert.match(err, /render needs a file/);
  });
});
