import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutStatus } from '#api/status.ts';
import { WorkQueue } from '#runtime/work-queue.ts';
import { VirtualClock } from '#test/kube/virtual-clock.ts';
import { events, rolloutSeries } from './catalogue.ts';
import type { SeenTrigger } from './look.ts';
import { createTelemetry } from './metrics.ts';

const key = { namespace: 'shop', name: 'checkout' };
const idle = { now: 0, status: {} };

/** A scrape gives way to other work between two chunks; time that stands still would never go on. */
class ScrapeClock extends VirtualClock {
  pauses = 0;
  override sleep(): Promise<void> {
    this.pauses += 1;
    return Promise.resolve();
  }
}

function setUp() {
  const clock = new ScrapeClock();
  const telemetry = createTelemetry({ version: '1.2.3', clock });
  const scrape = async (): Promise<string> => {
    let text = '';
    for await (const chunk of telemetry.exposition()) text += chunk;
    return text;
  };
  const linesOf = async (name: string): Promise<string[]> =>
    (await scrape())
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return { clock, telemetry, scrape, linesOf };
}

function seenTrigger(status: SeenTrigger['status'], reading?: SeenTrigger['reading']): SeenTrigger {
  const { name, severity } = status;
  return { trigger: { name, severity, condition: { threshold: 0.005 } }, status, reading };
}

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

describe('the series of a rollout', () => {
  const status = (clock: VirtualClock): RolloutStatus => ({
    phase: 'Progressing',
    revision: 'v"2"\n\\',
    step: 'half',
    weight: 50,
    plan: [
      { name: 'half', kind: 'Step', dueAt: '', weight: 50 },
      { name: 'all', kind: 'Step', dueAt: '', weight: 100 },
    ],
    nextStepAt: new Date(clock.now() + 90_000).toISOString(),
    holds: [{ reason: 'Paused', by: 'ann', since: '', message: '' }],
    conditions: [
      { type: 'Ready', status: 'False', reason: 'Waiting', message: '', lastTransitionTime: '' },
    ],
  });
  const labels = 'namespace="shop",rollout="checkout"';

  const rows: readonly (readonly [name: string, lines: readonly string[]])[] = [
    ['genesis_rollout_weight_ratio', [`{${labels}} 0.5`]],
    ['genesis_rollout_planned_weight_ratio', [`{${labels}} 0.5`]],
    ['genesis_rollout_phase', [`{${labels},phase="Progressing"} 1`]],
    ['genesis_rollout_step_info', [`{${labels},step="half",revision="v\\"2\\"\\n\\\\"} 1`]],
    ['genesis_rollout_next_step_seconds', [`{${labels}} 90`]],
    ['genesis_rollout_hold', [`{${labels},reason="Paused",by="ann"} 1`]],
    ['genesis_rollout_condition', [`{${labels},condition="Ready",status="False"} 1`]],
  ];
  for (const [name, lines] of rows) {
    test(name, async () => {
      const { clock, telemetry, linesOf } = setUp();
      telemetry.reconciles.decided(key, idle, { status: status(clock), triggers: [] });
      assert.deepEqual(
        await linesOf(name),
        lines.map((line) => name + line),
      );
    });
  }

  test('the time to the next step is that of the scrape, and may be overdue', async () => {
    const { clock, telemetry, linesOf } = setUp();
    telemetry.reconciles.decided(key, idle, { status: status(clock), triggers: [] });
    await clock.advance(100_000);
    const [line = ''] = await linesOf('genesis_rollout_next_step_seconds');
    assert.match(line, / -10$/);
  });

  test('in a rollback the planned weight is 0, whatever the step', async () => {
    const { clock, telemetry, linesOf } = setUp();
    const rollback = { reason: 'Aborted', message: '', startedAt: '', slaDeadline: '', stages: [] };
    const after = { status: { ...status(clock), rollback }, triggers: [] };
    telemetry.reconciles.decided(key, idle, after);
    const [line = ''] = await linesOf('genesis_rollout_planned_weight_ratio');
    assert.match(line, / 0$/);
  });

  test('what is not known has no series', async () => {
    const { telemetry, linesOf } = setUp();
    telemetry.reconciles.decided(key, idle, { status: {}, triggers: [] });
    for (const name of Object.keys(rolloutSeries)) assert.deepEqual(await linesOf(name), [], name);
  });

  test('the last look counts', async () => {
    const { telemetry, linesOf } = setUp();
    for (const phase of ['Progressing', 'Held']) {
      telemetry.reconciles.decided(key, idle, { status: { phase }, triggers: [] });
    }
    assert.deepEqual(await linesOf('genesis_rollout_phase'), [
      `genesis_rollout_phase{${labels},phase="Held"} 1`,
    ]);
  });

  test('a rollout that is gone takes its series with it, and only its own', async () => {
    const { telemetry, linesOf } = setUp();
    const other = { namespace: 'shop', name: 'search' };
    for (const one of [key, other]) {
      telemetry.reconciles.decided(one, idle, { status: { phase: 'Held' }, triggers: [] });
    }
    telemetry.reconciles.forgotten(key);
    assert.deepEqual(await linesOf('genesis_rollout_phase'), [
      'genesis_rollout_phase{namespace="shop",rollout="search",phase="Held"} 1',
    ]);
  });
});

describe('the series of a trigger', () => {
  const at = (clock: VirtualClock, agoMs: number) => new Date(clock.now() - agoMs).toISOString();
  const base = { name: 'error-rate', severity: 'Critical' };
  const labels = 'namespace="shop",rollout="checkout",trigger="error-rate",severity="Critical"';

  const rows: readonly {
    readonly name: string;
    readonly seen: (clock: VirtualClock) => SeenTrigger;
    readonly want: Readonly<Record<string, readonly string[]>>;
  }[] = [
    {
      name: 'inactive, with a reading',
      seen: () => seenTrigger({ ...base, state: 'Inactive' }, { type: 'value', value: 0.001 }),
      want: { state: [',state="Inactive"} 1'], value: ['} 0.001'], active_seconds: ['} 0'] },
    },
    {
      name: 'pending: gaps were not held',
      seen: (clock) =>
        seenTrigger(
          { ...base, state: 'Pending', activeAt: at(clock, 90_000), gapMs: 30_000 },
          { type: 'value', value: Number.POSITIVE_INFINITY },
        ),
      want: { state: [',state="Pending"} 1'], value: ['} +Inf'], active_seconds: ['} 60'] },
    },
    {
      name: 'firing, without a reading',
      seen: (clock) =>
        seenTrigger({ ...base, state: 'Firing', activeAt: at(clock, 5_000) }, { type: 'noData' }),
      want: { state: [',state="Firing"} 1'], value: [], active_seconds: ['} 5'] },
    },
    {
      name: 'unknown: the hold it once had does not count',
      seen: (clock) =>
        seenTrigger({ ...base, state: 'Unknown', activeAt: at(clock, 5_000) }, { type: 'error' }),
      want: { state: [',state="Unknown"} 1'], value: [], active_seconds: ['} 0'] },
    },
  ];
  for (const { name, seen, want } of rows) {
    test(name, async () => {
      const { clock, telemetry, linesOf } = setUp();
      telemetry.reconciles.decided(key, idle, { status: {}, triggers: [seen(clock)] });
      for (const [series, ends] of Object.entries({ ...want, threshold: ['} 0.005'] })) {
        const metric = `genesis_trigger_${series}`;
        assert.deepEqual(
          await linesOf(metric),
          ends.map((end) => `${metric}{${labels}${end}`),
        );
      }
    });
  }
});

describe('what the controller did', () => {
  test('an evaluation is counted by the worst state found, and not at all without triggers', async () => {
    const { telemetry, linesOf } = setUp();
    const states = (...names: string[]) =>
      names.map((state) => seenTrigger({ name: state, severity: 'Info', state }));
    for (const triggers of [
      states(),
      states('Inactive'),
      states('Inactive', 'Unknown'),
      states('Unknown', 'Pending'),
      states('Pending', 'Firing', 'Unknown'),
    ]) {
      telemetry.reconciles.decided(key, idle, { status: {}, triggers });
    }
    assert.deepEqual(await linesOf('genesis_evaluations_total'), [
      'genesis_evaluations_total{outcome="Firing"} 1',
      'genesis_evaluations_total{outcome="Pending"} 1',
      'genesis_evaluations_total{outcome="Unknown"} 1',
      'genesis_evaluations_total{outcome="Inactive"} 1',
    ]);
  });

  test('looks by result, as controller-runtime counts them', async () => {
    const { telemetry, linesOf } = setUp();
    telemetry.reconciles.reconciled('success', 20, 10);
    telemetry.reconciles.reconciled('conflict', 20, undefined);
    telemetry.reconciles.reconciled('error', 20, undefined);
    const name = 'controller_runtime_reconcile_total{controller="genesisrollout",result=';
    assert.deepEqual(await linesOf('controller_runtime_reconcile_total'), [
      `${name}"success"} 1`,
      `${name}"requeue"} 1`,
      `${name}"error"} 1`,
    ]);
    assert.deepEqual(await linesOf('genesis_evaluation_duration_seconds_sum'), [
      'genesis_evaluation_duration_seconds_sum 0.01',
    ]);
  });

  test('rollbacks, their times, promotions and drift', async () => {
    const { telemetry, linesOf } = setUp();
    const startedAt = '2026-11-22T12:00:00.000Z';
    const rollback = {
      trigger: 't',
      reason: 'TriggerFiring',
      message: '',
      startedAt,
      slaDeadline: startedAt,
      stages: [],
    };
    const route = { kind: 'HTTPRoute', name: 'shop' };
    const triggers = [{ name: 't', severity: 'Critical', state: 'Firing', firingAt: startedAt }];
    const begun: RolloutStatus = { rollback, routes: [{ ...route, weight: 50 }], triggers };
    const stopped: RolloutStatus = { ...begun, routes: [{ ...route, weight: 0, drift: 3 }] };
    const now = Date.parse(startedAt) + 400;
    const told = { triggers: [] };
    telemetry.reconciles.decided(key, { now, status: {} }, { status: begun, ...told });
    telemetry.reconciles.decided(key, { now, status: begun }, { status: stopped, ...told });
    telemetry.reconciles.decided(key, idle, { status: { phase: 'Succeeded' }, ...told });
    for (const line of [
      'genesis_rollbacks_total{reason="TriggerFiring"} 1',
      'genesis_rollback_seconds_sum{since="decision"} 0.4',
      'genesis_rollback_seconds_sum{since="firing"} 0.4',
      'genesis_promotions_total 1',
      'genesis_traffic_drift_total 3',
    ]) {
      assert.ok((await linesOf(line.split(/[{ ]/)[0] ?? '')).includes(line), line);
    }
  });
});

describe('what the adapters did', () => {
  test('requests to the API server, also those without an answer', async () => {
    const { telemetry, linesOf } = setUp();
    telemetry.requests.requested('GET', 'api:6443', 200, 30);
    telemetry.requests.requested('PATCH', 'api:6443', 0, 15_000);
    telemetry.requests.limited(100);
    assert.deepEqual(await linesOf('rest_client_requests_total'), [
      'rest_client_requests_total{code="200",method="GET",host="api:6443"} 1',
      'rest_client_requests_total{code="<error>",method="PATCH",host="api:6443"} 1',
    ]);
    assert.deepEqual(await linesOf('rest_client_rate_limiter_duration_seconds_sum'), [
      'rest_client_rate_limiter_duration_seconds_sum 0.1',
    ]);
  });

  test('watch streams that are open, over all namespaces', async () => {
    const { telemetry, linesOf } = setUp();
    const routes = { group: 'g', version: 'v1', kind: 'Route', plural: 'routes', namespaced: true };
    const [a, b] = [telemetry.watchOf(routes), telemetry.watchOf(routes)];
    a.connected(true);
    a.connected(true);
    b.connected(true);
    b.connected(false);
    b.failed('gone');
    a.filled(7);
    assert.deepEqual(await linesOf('genesis_watch_connected'), [
      'genesis_watch_connected{resource="routes.g"} 1',
    ]);
    assert.deepEqual(await linesOf('genesis_watch_lists_total'), [
      'genesis_watch_lists_total{resource="routes.g"} 1',
    ]);
    assert.deepEqual(await linesOf('genesis_watch_failures_total'), [
      'genesis_watch_failures_total{resource="routes.g",fault="gone"} 1',
    ]);
  });

  test('queries by outcome, and those that were shared', async () => {
    const { telemetry, linesOf } = setUp();
    const took = { waitedMs: 100, durationMs: 250, bytes: 1_000 };
    telemetry.queries.answered({ kind: 'range', outcome: 'ok', ...took });
    telemetry.queries.answered({ kind: 'range', outcome: 'timeout', ...took });
    telemetry.queries.shared();
    const counted = await linesOf('genesis_prometheus_queries_total');
    assert.ok(
      counted.includes('genesis_prometheus_queries_total{kind="range",outcome="timeout"} 1'),
    );
    assert.deepEqual(await linesOf('genesis_prometheus_response_bytes_total'), [
      'genesis_prometheus_response_bytes_total 2000',
    ]);
    assert.deepEqual(await linesOf('genesis_prometheus_queries_shared_total'), [
      'genesis_prometheus_queries_shared_total 1',
    ]);
  });

  test('leadership', async () => {
    const { telemetry, linesOf } = setUp();
    const line = 'leader_election_master_status{name="genesis-rollout"}';
    telemetry.leading(true);
    assert.deepEqual(await linesOf('leader_election_master_status'), [`${line} 1`]);
    telemetry.leading(false);
    assert.deepEqual(await linesOf('leader_election_master_status'), [`${line} 0`]);
  });

  test('a queue: depth, waiting, and how long its workers have been busy', async () => {
    const { clock, telemetry, linesOf } = setUp();
    const queue = new WorkQueue({ clock, metrics: telemetry.queue });
    for (const name of ['a', 'b', 'c']) queue.add(name);
    await queue.take();
    await clock.advance(2_000);
    await queue.take();
    await clock.advance(1_000);
    const name = '{name="genesisrollout"}';
    const value = async (metric: string) =>
      (await linesOf(metric)).map((line) => line.replace(name, ''));
    assert.deepEqual(await value('workqueue_depth'), ['workqueue_depth 1']);
    assert.deepEqual(await value('workqueue_adds_total'), ['workqueue_adds_total 3']);
    assert.deepEqual(await value('workqueue_unfinished_work_seconds'), [
      'workqueue_unfinished_work_seconds 4',
    ]);
    assert.deepEqual(await value('workqueue_longest_running_processor_seconds'), [
      'workqueue_longest_running_processor_seconds 3',
    ]);
    // The one that has taken longest is done: the other goes on.
    queue.done('a');
    assert.deepEqual(await value('workqueue_longest_running_processor_seconds'), [
      'workqueue_longest_running_processor_seconds 1',
    ]);
    assert.deepEqual(await value('workqueue_work_duration_seconds_sum'), [
      'workqueue_work_duration_seconds_sum 3',
    ]);
    assert.deepEqual(await value('workqueue_queue_duration_seconds_sum'), [
      'workqueue_queue_duration_seconds_sum 2',
    ]);
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
