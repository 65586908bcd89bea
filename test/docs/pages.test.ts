/** Every block of every page is something: commands that a test runs, objects that the schema takes, or data that parses. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { validateSpec } from '#api/validate.ts';
import { type Block, blocksIn, blocksOf, pages, root, runners } from './blocks.ts';

const all = pages().flatMap(blocksOf);
const where = ({ page, line }: Block) => `${page}:${line}`;
const known = new Set([
  'sh',
  'yaml',
  'json',
  'text',
  'ts',
  'promql',
  'lua',
  'http',
  'mermaid',
  'csv',
  'ini',
]);

describe('a block of a page', () => {
  test('says its language', () => {
    const odd = all.filter(({ language }) => !known.has(language)).map(where);
    assert.deepEqual(odd, [], `use one of ${[...known].join(', ')}`);
  });

  test('with commands says who runs it', () => {
    const missing = all
      .filter(
        ({ language, runner }) => language === 'sh' && !(runner !== undefined && runner in runners),
      )
      .map(where);
    assert.deepEqual(missing, [], `put <!-- run: ${Object.keys(runners).join('|')} --> above it`);
  });

  test('that continuous integration runs is what it runs', () => {
    const ci = readFileSync(join(root, '.ci/run'), 'utf8');
    const demo = readFileSync(join(root, 'test/cluster/demo.test.ts'), 'utf8');
    assert.match(ci, /^npm ci/m);
    assert.match(ci, /^npm test/m);
    assert.match(demo, /scripts\/demo\/main\.ts/);
    const commands = all.filter(({ runner }) => runner === 'ci').map(({ text }) => text.trim());
    assert.deepEqual([...new Set(commands)].toSorted(), [
      'npm ci && npm run demo',
      'npm ci && npm test',
    ]);
  });

  test('with a rollout is one that the schema takes', () => {
    let count = 0;
    for (const block of all.filter(({ language }) => language === 'yaml')) {
      for (const document of parseAllDocuments(block.text)) {
        assert.deepEqual(document.errors, [], where(block));
        const object: unknown = document.toJS();
        if (!isRollout(object)) continue;
        count += 1;
        assert.deepEqual(validateSpec(object.spec), [], where(block));
      }
    }
    assert.ok(count > 0);
  });

  test('with JSON can be read', () => {
    for (const block of all.filter(({ language }) => language === 'json')) {
      assert.doesNotThrow(() => JSON.parse(block.text), where(block));
    }
  });
});

function isRollout(value: unknown): value is { spec: unknown } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === 'GenesisRollout' &&
    'spec' in value
  );
}

test('a link to a file of this repository leads somewhere', () => {
  const dead: string[] = [];
  for (const page of pages()) {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [path = ''] = target.split('#');
      if (path === '' || /^[a-z]+:/.test(path)) continue;
      if (!existsSync(join(root, dirname(page), path))) dead.push(`${page}: ${target}`);
    }
  }
  assert.deepEqual(dead, []);
});

describe('reading a page', () => {
  const page = [
    'Text.',
    '<!-- run: operator',
    'kubectl create namespace shop',
    '-->',
    '```sh',
    'kubectl get gr',
    '```',
    '- in a list:',
    '  ```yaml',
    '  a: 1',
    '  ```',
    '',
  ].join('\n');

  test('finds blocks, their languages, runners and what must come before', () => {
    const [commands, data] = blocksIn('page.md', page);
    assert.deepEqual(commands, {
      page: 'page.md',
      line: 6,
      language: 'sh',
      text: 'kubectl get gr',
      runner: 'operator',
      setup: 'kubectl create namespace shop',
    });
    assert.equal(data?.text, 'a: 1');
    assert.equal(data?.runner, undefined);
  });

  test('a block without an end is an error', () => {
    assert.throws(() => blocksIn('page.md', '```sh\nls\n'), /page.md:1: this block never ends/);
  });
});
