/** What the adapters did, counted: requests, watches, queries, leadership and the queue. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WorkQueue } from '#runtime/work-queue.ts';
import { setUp } from '#test/telemetry/scraped-telemetry.ts';

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

  test('how many wait for their turn to write', async () => {
    const { telemetry, linesOf } = setUp();
    assert.deepEqual(await linesOf('genesis_writes_waiting'), ['genesis_writes_waiting 0']);
    telemetry.writesWaiting(3);
    assert.deepEqual(await linesOf('genesis_writes_waiting'), ['genesis_writes_waiting 3']);
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
