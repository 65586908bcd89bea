/** The page of metrics as a whole: its form, what is on it from the start, and that it gives way to other work. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { idle, key, seenTrigger, setUp } from '#test/telemetry/scraped-telemetry.ts';
import { events } from './catalogue.ts';
import { rolloutSeries } from './rollout-catalogue.ts';

describe('/metrics', () => {
  test('serves every metric that is declared, with its type and its words', async () => {
    const text = await setUp().scrape();
    for (const [name, { type, help }] of Object.entries({ ...rolloutSeries, ...events })) {
      assert.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`), name);
    }
  });

  test('has each metric once, every sample under its own heading, and ends with a line break', async () => {
    const { telemetry, scrape } = setUp();
    telemetry.reconciles.decided(key, idle, {
      status: { phase: 'Pending' },
      triggers: [seenTrigger({ name: 'a', severity: 'Critical', state: 'Inactive' })],
    });
    const text = await scrape();
    const headings = new Set<string>();
    let current = '';
    for (const line of text.trimEnd().split('\n')) {
      const heading = /^# HELP ([a-z0-9_]+) /.exec(line)?.[1];
      if (heading !== undefined) {
        assert.ok(!headings.has(heading), `${heading} twice`);
        headings.add(heading);
        current = heading;
      } else if (line !== '' && !line.startsWith('#')) {
        assert.match(line, /^[a-z0-9_]+(\{[^}]*\})? [-+0-9.eNIa-z]+$/);
        assert.ok(line.startsWith(current), `${line} under ${current}`);
      }
    }
    assert.ok(text.endsWith('\n'));
  });

  test('leaves out what prom-client names against the rules', async () => {
    assert.doesNotMatch(await setUp().scrape(), /^nodejs_active_\w+_total/m);
  });

  test('says which version it is', async () => {
    const [line] = await setUp().linesOf('genesis_build_info');
    assert.equal(line, `genesis_build_info{version="1.2.3",node="${process.versions.node}"} 1`);
  });

  test('starts known labels at 0, so that the first event is an increase', async () => {
    const { linesOf } = setUp();
    for (const line of [
      'genesis_rollbacks_total{reason="TriggerFiring"} 0',
      'genesis_evaluations_total{outcome="Firing"} 0',
      'genesis_prometheus_queries_total{kind="instant",outcome="timeout"} 0',
      'genesis_rollback_seconds_count{since="firing"} 0',
      'workqueue_retries_total{name="genesisrollout"} 0',
      'leader_election_master_status{name="genesis-rollout"} 0',
      'controller_runtime_reconcile_total{controller="genesisrollout",result="error"} 0',
    ]) {
      assert.ok((await linesOf(line.split('{')[0] ?? '')).includes(line), line);
    }
  });
});

test('a scrape of many rollouts gives way to other work again and again', async () => {
  const { clock, telemetry } = setUp();
  for (let n = 0; n < 10_000; n += 1) {
    telemetry.reconciles.decided({ namespace: 'shop', name: `r-${n}` }, idle, {
      status: { phase: 'Progressing', weight: 50 },
      triggers: [],
    });
  }
  let longest = 0;
  for await (const chunk of telemetry.exposition()) longest = Math.max(longest, chunk.length);
  assert.ok(clock.pauses >= 5, `${clock.pauses} pauses`);
  assert.ok(longest < 400_000, `a chunk of ${longest} characters`);
});
