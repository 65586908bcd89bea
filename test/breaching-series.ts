/**
 * For every trigger of the examples: series, in promtool's notation at a sample every 15 s, under which its condition is true,
 * and from when on. A rate has its first value at the second sample, and a small one until its range is full.
 */

export interface Breaching {
  readonly series: Readonly<Record<string, string>>;
  readonly activeAtSeconds: number;
}

const INTERVAL_SECONDS = 15;
const always = 'x400';

const gauge = (series: string, value: number): Breaching => ({
  series: { [series]: `${value}${always}` },
  activeAtSeconds: 0,
});

/** What the operator exports of its own reading. */
const own = (namespace: string, rollout: string, trigger: string, value: number): Breaching =>
  gauge(
    `genesis_trigger_value{namespace="${namespace}",rollout="${rollout}",trigger="${trigger}"}`,
    value,
  );

const canaryDown = (namespace: string, rollout: string): Breaching =>
  gauge(
    `genesis_trigger_state{namespace="${namespace}",rollout="${rollout}",trigger="canary-down",state="Firing"}`,
    1,
  );

const counters = (...names: readonly string[]): Breaching => ({
  series: Object.fromEntries(names.map((name) => [name, `0+10${always}`])),
  activeAtSeconds: INTERVAL_SECONDS,
});

/** All requests take between half a second and one. */
const slow = (metric: string, labels: string): Breaching => ({
  series: {
    [`${metric}{${labels},le="0.5"}`]: `0${always}`,
    [`${metric}{${labels},le="1"}`]: `0+10${always}`,
    [`${metric}{${labels},le="+Inf"}`]: `0+10${always}`,
  },
  activeAtSeconds: INTERVAL_SECONDS,
});

const genesisErrors = counters(
  'genesis_requests_total{service="genesis-canary",outcome="error"}',
  'genesis_requests_total{service="genesis-canary",outcome="ok"}',
);
const genesisLatency = slow('genesis_request_duration_seconds_bucket', 'service="genesis-canary"');
const checkoutErrors = counters(
  'http_requests_total{namespace="shop",service="checkout-canary",code="500"}',
);
const genesis = (trigger: string, value: number) => own('genesis', 'genesis', trigger, value);
const ofPod = 'namespace="genesis",container="app",pod="a"';

/** By rollout, then by trigger. */
export const breaching: Readonly<Record<string, Readonly<Record<string, Breaching>>>> = {
  checkout: {
    'error-rate': checkoutErrors,
    'error-rate-raised': checkoutErrors,
    latency: slow(
      'http_request_duration_seconds_bucket',
      'namespace="shop",service="checkout-canary"',
    ),
    'canary-down': canaryDown('shop', 'checkout'),
  },
  hello: {
    'error-rate': counters('http_requests_total{service="hello-canary",code="503"}'),
    'canary-down': canaryDown('default', 'hello'),
  },
  podinfo: {
    'error-rate': counters('http_requests_total{service="podinfo-canary",status="503"}'),
    'canary-down': canaryDown('demo', 'podinfo'),
  },
  genesis: {
    'pass-rate': genesis('pass-rate', 0.9),
    'pass-rate-low': genesis('pass-rate-low', 0.97),
    'service-down': genesis('service-down', 0),
    'flaky-tests': genesis('flaky-tests', 1),
    'error-rate': genesisErrors,
    'error-rate-raised': genesisErrors,
    latency: genesisLatency,
    'latency-raised': genesisLatency,
    'osworld-success': gauge('genesis_osworld_success_rate', 84),
    'dedup-collapse': gauge('genesis_langmem_dedup_rate', 19),
    'osworld-memory': gauge('genesis_osworld_memory_usage_bytes', 25 * 2 ** 20 + 1),
    'langmem-memory': gauge('genesis_langmem_memory_usage_mb', 25.1),
    'langmem-leak': counters('genesis_langmem_memory_usage_mb'),
    'critical-alerts': gauge(
      'ALERTS{alertname="Other",alertstate="firing",severity="critical",namespace="genesis"}',
      1,
    ),
    'cpu-high': {
      series: {
        [`container_cpu_usage_seconds_total{${ofPod}}`]: `0+1500${always}`,
        'kube_pod_container_resource_limits{resource="cpu",namespace="genesis",pod="a"}': `1${always}`,
      },
      activeAtSeconds: INTERVAL_SECONDS,
    },
    'memory-high': {
      series: {
        [`container_memory_working_set_bytes{${ofPod}}`]: `90${always}`,
        'kube_pod_container_resource_limits{resource="memory",namespace="genesis",pod="a"}': `100${always}`,
      },
      activeAtSeconds: 0,
    },
    'canary-down': canaryDown('genesis', 'genesis'),
  },
};
