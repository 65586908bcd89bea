/** What `kubectl genesis render` prints for every example, before Prometheus' own checker: it parses, and every alert fires on time. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { parseDuration } from '#api/duration.ts';
import { readRollouts } from '#cli/read-rollouts.ts';
import type { RunSpec } from '#core/run-spec.ts';
import { prometheusRule } from '#dashboards/prometheus-rule.ts';
import { toolPath } from '#scripts/testbed/index.ts';
import { breaching } from '#test/breaching-series.ts';
import { type FiringCase, lintRules, type RuleGroup, testRules } from '#test/promtool.ts';

const root = join(import.meta.dirname, '../..');
const examples = globSync('examples/*.yaml', { cwd: root })
  .flatMap((path) =>
    readRollouts(join(root, path), { readText: (file) => readFileSync(file, 'utf8') }),
  )
  .map((run) => [run.placeholders.rollout, run] as const);

function groupsOf(run: RunSpec): readonly RuleGroup[] {
  const object = prometheusRule(run, { labels: {}, runbookUrl: 'https://books.example' });
  return (object['spec'] as { groups: RuleGroup[] }).groups;
}

/** One for each alert: the name of its trigger says which series breach. */
function casesOf(run: RunSpec): readonly FiringCase[] {
  const rules = groupsOf(run).flatMap(({ rules }) => rules);
  return rules.map(({ for: held = '0s', labels = {} }) => {
    const trigger = labels['genesis_trigger'] ?? '';
    const found = breaching[run.placeholders.rollout]?.[trigger];
    assert.ok(found !== undefined, `no series for ${trigger} of ${run.placeholders.rollout}`);
    const firesAtSeconds = found.activeAtSeconds + parseDuration(held) / 1000;
    return { alert: `genesis_trigger="${trigger}"`, series: found.series, firesAtSeconds };
  });
}

before(async () => {
  await toolPath('promtool');
});

test('there are examples', () => {
  assert.ok(examples.length >= 4);
});

describe('promtool', () => {
  const rule = { alert: 'Up', expr: 'up == 0', for: '30s', labels: { severity: 'info' } };
  const series = { up: '0x20 1x400' };
  const of = 'alertname="Up"';

  test('objects to a rule that does not parse', async () => {
    const broken = [{ name: 'group', rules: [{ ...rule, expr: 'up ==' }] }];
    assert.match(await lintRules(broken), /could not parse expression/);
  });

  for (const [what, wrong] of [
    ['too late', { firesAtSeconds: 45 }],
    ['too early', { firesAtSeconds: 15 }],
    ['though it never should, and is over by then', { firesAtSeconds: undefined }],
    ['for too long', { firesAtSeconds: 30, isOverAtSeconds: 60 }],
  ] as const) {
    test(`objects when an alert fires ${what}`, async () => {
      const groups = [{ name: 'group', interval: '15s', rules: [rule] }];
      assert.equal(await testRules(groups, [{ alert: of, series, firesAtSeconds: 30 }]), '');
      assert.match(await testRules(groups, [{ alert: of, series, ...wrong }]), /FAILED/);
    });
  }
});

for (const [name, run] of examples) {
  describe(`the alerts of ${name}`, () => {
    test('promtool accepts the rules, with every lint on', async () => {
      assert.equal(await lintRules(groupsOf(run)), '');
    });

    test('fire exactly when their condition has held for its time', async () => {
      assert.equal(await testRules(groupsOf(run), casesOf(run)), '');
    });

    test('say what they say to people: severity, summary, description, runbook', () => {
      for (const { labels, annotations } of groupsOf(run).flatMap(({ rules }) => rules)) {
        assert.match(labels?.['severity'] ?? '', /^(critical|warning|info)$/);
        for (const field of ['summary', 'description', 'runbook_url']) {
          assert.ok((annotations?.[field] ?? '').length > 10, field);
        }
      }
    });
  });
}

describe('a healthy service', () => {
  const [, checkout] = examples.find(([name]) => name === 'checkout') ?? [];
  assert.ok(checkout !== undefined);
  const ok = 'http_requests_total{namespace="shop",service="checkout-canary",code="200"}';
  const failed = ok.replace('200', '500');
  const never = { alert: 'genesis_trigger="error-rate"', firesAtSeconds: undefined };
  const rows: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['without a single failing series is quiet', { [ok]: '0+10x400' }],
    ['with few failures is quiet', { [ok]: '0+1000x400', [failed]: '0+1x400' }],
    [
      'without traffic is quiet, whatever stands in its counters',
      { [ok]: '7x400', [failed]: '9x400' },
    ],
    [
      // One burst, which a rate over five minutes shows for a little less than that.
      'that fails for less than the hold is quiet',
      { [ok]: '0+10x400', [failed]: '0x10 150x390' },
    ],
  ];
  for (const [name, series] of rows) {
    test(name, async () => {
      assert.equal(await testRules(groupsOf(checkout), [{ ...never, series }]), '');
    });
  }

  test('and promtool does notice an alert that comes late', async () => {
    const [first] = casesOf(checkout);
    assert.ok(first?.firesAtSeconds !== undefined);
    const late = { ...first, firesAtSeconds: first.firesAtSeconds + 15 };
    assert.match(await testRules(groupsOf(checkout), [late]), /time: 5m15s/);
  });
});
