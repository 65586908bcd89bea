/**
 * Every metric of ours, declared once: name, type, labels and the sentence that both `/metrics` and the
 * reference say about it. Base units, as Prometheus wants them; names of others only where dashboards know them.
 */
import type { MetricDeclaration } from './declaration.ts';

/** From a millisecond, a decision without queries, to half a minute, the longest that one look may take. */
const lookBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const requestBuckets = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];
/** The promise is 2 s; the budget of the first stage is a minute. */
const rollbackBuckets = [0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 900];

/** What happened, counted. */
export const events = {
  genesis_rollbacks_total: {
    type: 'counter',
    help: 'Rollbacks begun, by the reason of the decision.',
    labels: ['reason'],
  },
  genesis_rollback_seconds: {
    type: 'histogram',
    help: 'Time until every route and flag of a rollback read 0 % canary: since the decision, and since the trigger had held for its time.',
    labels: ['since'],
    buckets: rollbackBuckets,
  },
  genesis_promotions_total: {
    type: 'counter',
    help: 'Runs that succeeded.',
    labels: [],
  },
  genesis_traffic_drift_total: {
    type: 'counter',
    help: 'Weights that another writer changed during a run.',
    labels: [],
  },
  genesis_evidence_lines_total: {
    type: 'counter',
    help: 'Snapshots and events that were kept or given up, and tries to keep some that failed.',
    labels: ['outcome'],
  },
  genesis_notifications_sent_total: {
    type: 'counter',
    help: 'Messages that a channel has taken.',
    labels: ['channel'],
  },
  genesis_notifications_failed_total: {
    type: 'counter',
    help: 'Tries to send a message that failed and are repeated.',
    labels: ['channel'],
  },
  genesis_notifications_lost_total: {
    type: 'counter',
    help: 'Messages that were given up: refused for good, too old, or too many at once.',
    labels: ['channel', 'why'],
  },
  genesis_notifications_waiting: {
    type: 'gauge',
    help: 'Messages that wait to be sent.',
    labels: ['channel'],
  },
  genesis_notifications_oldest_timestamp_seconds: {
    type: 'gauge',
    help: 'Since when the oldest message waits, as a Unix time; 0 while none does.',
    labels: ['channel'],
  },
  genesis_notification_duration_seconds: {
    type: 'histogram',
    help: 'How long a channel took to take a message.',
    labels: ['channel'],
    buckets: requestBuckets,
  },
  genesis_evaluations_total: {
    type: 'counter',
    help: 'Looks at the triggers of a rollout, by the worst state found.',
    labels: ['outcome'],
  },
  genesis_evaluation_duration_seconds: {
    type: 'histogram',
    help: 'Time from the first query of a look to its decision.',
    labels: [],
    buckets: lookBuckets,
  },
  genesis_reconcile_duration_seconds: {
    type: 'histogram',
    help: 'Time of a whole look at a rollout: observe, decide, write, act.',
    labels: ['result'],
    buckets: lookBuckets,
  },
  controller_runtime_reconcile_total: {
    type: 'counter',
    help: 'Looks at rollouts, by result.',
    labels: ['controller', 'result'],
  },
  genesis_writes_waiting: {
    type: 'gauge',
    help: 'Rollouts with something to write that stand in line until the API server has done what others wrote; rollbacks never do.',
    labels: [],
  },
  genesis_prometheus_queries_total: {
    type: 'counter',
    help: 'Queries carried out, by kind (list: what Prometheus says of itself, such as its targets) and outcome.',
    labels: ['kind', 'outcome'],
  },
  genesis_prometheus_queries_shared_total: {
    type: 'counter',
    help: 'Queries that were not sent because the same one was under way or just answered.',
    labels: [],
  },
  genesis_prometheus_query_duration_seconds: {
    type: 'histogram',
    help: 'Time from asking Prometheus to its answer, waiting for a place included.',
    labels: ['kind'],
    buckets: requestBuckets,
  },
  genesis_prometheus_query_wait_seconds: {
    type: 'histogram',
    help: 'The part of a query that was spent waiting for a place.',
    labels: ['kind'],
    buckets: requestBuckets,
  },
  genesis_prometheus_response_bytes_total: {
    type: 'counter',
    help: 'Bytes that Prometheus has answered.',
    labels: [],
  },
  genesis_watch_connected: {
    type: 'gauge',
    help: 'Open watch streams of a resource; there is one for each namespace watched, or one for all.',
    labels: ['resource'],
  },
  genesis_watch_lists_total: {
    type: 'counter',
    help: 'How often a resource was read whole, at the start or because its history was lost.',
    labels: ['resource'],
  },
  genesis_watch_failures_total: {
    type: 'counter',
    help: 'Watches and lists that failed, by fault.',
    labels: ['resource', 'fault'],
  },
  rest_client_requests_total: {
    type: 'counter',
    help: 'Requests to the API server, by status code, method and host.',
    labels: ['code', 'method', 'host'],
  },
  rest_client_request_duration_seconds: {
    type: 'histogram',
    help: 'Time of a request to the API server, by verb and host.',
    labels: ['verb', 'host'],
    buckets: requestBuckets,
  },
  rest_client_rate_limiter_duration_seconds: {
    type: 'histogram',
    help: 'Time that requests to the API server waited for their turn at our own limit; only those that waited.',
    labels: [],
    buckets: requestBuckets,
  },
  workqueue_depth: {
    type: 'gauge',
    help: 'Keys that wait for a worker.',
    labels: ['name'],
  },
  workqueue_adds_total: {
    type: 'counter',
    help: 'Keys added to the queue.',
    labels: ['name'],
  },
  workqueue_queue_duration_seconds: {
    type: 'histogram',
    help: 'Time a key waited for a worker.',
    labels: ['name'],
    buckets: lookBuckets,
  },
  workqueue_work_duration_seconds: {
    type: 'histogram',
    help: 'Time a worker was busy with a key.',
    labels: ['name'],
    buckets: lookBuckets,
  },
  workqueue_retries_total: {
    type: 'counter',
    help: 'Keys added again because their processing failed.',
    labels: ['name'],
  },
  workqueue_unfinished_work_seconds: {
    type: 'gauge',
    help: 'How long all keys under way have been so, together.',
    labels: ['name'],
  },
  workqueue_longest_running_processor_seconds: {
    type: 'gauge',
    help: 'How long the key longest under way has been so.',
    labels: ['name'],
  },
  leader_election_master_status: {
    type: 'gauge',
    help: '1 while this process leads, 0 while it stands by.',
    labels: ['name'],
  },
  nodejs_eventloop_lag_mean_seconds: {
    type: 'gauge',
    help: 'How late the event loop ran since the last scrape: mean.',
    labels: [],
  },
  nodejs_eventloop_lag_p50_seconds: {
    type: 'gauge',
    help: 'How late the event loop ran since the last scrape: median.',
    labels: [],
  },
  nodejs_eventloop_lag_p90_seconds: {
    type: 'gauge',
    help: 'How late the event loop ran since the last scrape: 90th percentile.',
    labels: [],
  },
  nodejs_eventloop_lag_p99_seconds: {
    type: 'gauge',
    help: 'How late the event loop ran since the last scrape: 99th percentile.',
    labels: [],
  },
  nodejs_eventloop_lag_max_seconds: {
    type: 'gauge',
    help: 'How late the event loop ran since the last scrape: at worst.',
    labels: [],
  },
  genesis_build_info: {
    type: 'gauge',
    help: '1, with the version of the operator and of Node.',
    labels: ['version', 'node'],
  },
} as const satisfies Record<string, MetricDeclaration>;
