import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { flagsReference } from './flags.ts';

test('the example of the reference is a good file', () => {
  const yaml = /```yaml\n([^`]*)```/.exec(flagsReference())?.[1] ?? '';
  assert.match(yaml, /prometheusUrl/);
  const result = readConfig({ argv: ['--config', 'c.yaml'], env: {}, readText: () => yaml });
  assert.equal(result.type, 'run', JSON.stringify(result));
});

test('the reference names every flag that there is', () => {
  const help = readConfig({ argv: ['--help'], env: {}, readText: () => '' });
  assert.equal(help.type, 'show');
  const flags = help.text.match(/--[a-z-]+/g) ?? [];
  assert.ok(flags.length > 10);
  for (const flag of flags) assert.ok(flagsReference().includes(`\`${flag}`), flag);
});
