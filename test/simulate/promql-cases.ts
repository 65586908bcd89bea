/** Series and queries for comparing the PromQL of `simulate` with a real Prometheus. */
import { randomOf } from '#test/simulation/random.ts';

/** Counters with resets and gaps, gauges with NaN, histograms with a bucket that goes missing. */
export const series: readonly (readonly [string, string])[] = [
  ['requests_total{service="canary",code="200",pod="a"}', '0+15x60 3+20x60 _x8 100+7x80'],
  ['requests_total{service="canary",code="200",pod="b"}', '_x10 5+11x150'],
  ['requests_total{service="canary",code="500",pod="a"}', '_x40 0x10 1+1x20 0+2x70'],
  ['requests_total{service="stable",code="200",pod="c"}', '1000+150x220'],
  ['requests_total{service="stable",code="500",pod="c"}', '10+1x80 4+2x100'],
  ['latency_bucket{service="canary",le="0.1"}', '0+9x200'],
  ['latency_bucket{service="canary",le="0.5"}', '0+14x200'],
  ['latency_bucket{service="canary",le="1"}', '0+14.5x100 _x15 1467+15x80'],
  ['latency_bucket{service="canary",le="+Inf"}', '0+15x200'],
  ['latency_bucket{service="stable",le="0.1"}', '0+90x200'],
  ['latency_bucket{service="stable",le="0.5"}', '0+80x200'],
  ['latency_bucket{service="stable",le="+Inf"}', '0+100x200'],
  ['memory_bytes{pod="a"}', '1e8+1.7e5x70 1.2e8-3e5x40 1.1e8x90'],
  ['memory_bytes{pod="b"}', '2e8-1e5x50 _x3 NaN 2e8 1.9e8+3e5x100'],
  ['memory_bytes{pod="c"}', '9e7x200'],
  ['limit_bytes{pod="a",resource="memory"}', '2.5e8x200'],
  ['limit_bytes{pod="b",resource="memory"}', '2.5e8x90 _x20 3e8x80'],
  ['up{job="shop",pod="a"}', '1x50 0x5 1x150'],
  ['up{job="shop",pod="b"}', '1x120 _x30 1x40'],
  ['temperature', '-3+0.25x40 7-0.5x60 Inf -Inf 2 4x80'],
];

const ranges = ['rate', 'increase', 'irate', 'delta', 'idelta', 'deriv', 'changes', 'resets'];
const overTime = [
  'avg',
  'min',
  'max',
  'sum',
  'count',
  'last',
  'stddev',
  'stdvar',
  'present',
  'first',
]
  .map((name) => `${name}_over_time`)
  .filter((name) => name !== 'first_over_time');
const aggregations = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'];

export const table: readonly string[] = [
  'requests_total',
  'requests_total{code=~"5.."}',
  'requests_total{code!~"2.*", pod!="c"}',
  '{__name__=~"up|temperature"}',
  'requests_total offset 7m',
  'temperature offset -2m',
  ...ranges.map((name) => `${name}(requests_total[4m])`),
  ...ranges.map((name) => `${name}(memory_bytes[11m] offset 3m)`),
  ...overTime.map((name) => `${name}(memory_bytes[10m])`),
  ...overTime.map((name) => `${name}(temperature[3m])`),
  'quantile_over_time(0.9, memory_bytes[10m])',
  'predict_linear(memory_bytes[10m], 3600)',
  'rate(requests_total[1m])',
  ...aggregations.map((op) => `${op}(memory_bytes)`),
  ...aggregations.map((op) => `${op} by (service) (rate(requests_total[5m]))`),
  ...aggregations.map((op) => `${op} without (pod, code) (requests_total)`),
  'quantile(0.5, memory_bytes)',
  'topk(1, memory_bytes)',
  'bottomk(2, requests_total)',
  'topk by (service) (1, requests_total)',
  'histogram_quantile(0.95, latency_bucket)',
  'histogram_quantile(0.95, sum by (le) (rate(latency_bucket{service="canary"}[5m])))',
  'histogram_quantile(0.5, rate(latency_bucket[5m]))',
  'histogram_quantile(0.2, rate(latency_bucket[5m]))',
  'memory_bytes / on (pod) limit_bytes',
  'memory_bytes / ignoring (resource) limit_bytes',
  'requests_total / on (pod) group_left (resource) limit_bytes',
  'limit_bytes / on (pod) group_right () memory_bytes',
  'max(sum by (pod) (memory_bytes) / on (pod) sum by (pod) (limit_bytes))',
  'sum(rate(requests_total{service="canary",code=~"5.."}[5m])) / sum(rate(requests_total{service="canary"}[5m]))',
  'memory_bytes > 1.1e8',
  'memory_bytes > bool 1.1e8',
  '1.1e8 < memory_bytes',
  '2 * temperature ^ 2 - 1',
  '-temperature % 3',
  '2 ^ 3 ^ 0.5 + vector(0)',
  'atan2(temperature, 2) or vector(1)'.replace(
    'atan2(temperature, 2)',
    'temperature atan2 memory_bytes',
  ),
  'memory_bytes and on (pod) up == 1',
  'memory_bytes unless on (pod) (up == 0)',
  'up{pod="a"} or up',
  'requests_total{code="500"} or on (pod) requests_total',
  'abs(temperature)',
  'ceil(temperature)',
  'floor(temperature)',
  'round(temperature, 0.3)',
  'round(temperature)',
  'clamp(temperature, 0, 5)',
  'clamp_min(temperature, 1)',
  'clamp_max(temperature, 1)',
  'timestamp(temperature)',
  'timestamp(temperature offset 5m)',
  'timestamp(temperature * 2)',
  'max by (service) (timestamp(requests_total))',
  'sgn(temperature)',
  'sqrt(memory_bytes)',
  'ln(memory_bytes)',
  'log2(memory_bytes)',
  'exp(temperature)',
  'scalar(temperature) + up',
  'vector(scalar(up))',
  'vector(time())',
  'time()',
  'absent(nothing{job="x", pod=~"a.*", a="1", a="2"})',
  'absent(up{pod="b"})',
  'absent_over_time(up{pod="b"}[3m])',
  'count(up) or vector(0)',
  'avg_over_time(min(up)[20m:1m])',
  'max_over_time(rate(requests_total[2m])[10m:30s])',
  'min_over_time(temperature[10m:90s] offset 2m)',
  'rate(memory_bytes[10m:30s])',
  'deriv(memory_bytes[10m]) * 60',
  'sum(count_over_time(up[5m]))',
  'sum_over_time((up == 1)[10m:1m])',
];

/** Of everything that is carried out, in combinations that nobody chose. */
export function randomExpressions(count: number, seed: number): readonly string[] {
  const random = randomOf(seed);
  const metrics: [string, ...string[]] = [
    'requests_total',
    'memory_bytes',
    'limit_bytes',
    'up',
    'temperature',
    'latency_bucket',
  ];
  const matchers: [string, ...string[]] = [
    '',
    '',
    '{pod="a"}',
    '{pod!="a"}',
    '{code=~"5.."}',
    '{service="canary"}',
    '{job=""}',
  ];
  const durations: [string, ...string[]] = ['30s', '1m', '95s', '5m', '13m'];
  const offset = () => (random.chance(0.2) ? ` offset ${random.pick(['1m', '-1m', '7m'])}` : '');
  const selector = () => `${random.pick(metrics)}${random.pick(matchers)}`;
  const rangeName = () => random.pick(['rate', ...ranges, ...overTime] as [string, ...string[]]);
  const grouping = () =>
    random.pick(['', '', ' by (service)', ' by (pod)', ' without (code)', ' without (pod, le)']);
  const ranged = (depth: number): string =>
    random.chance(0.75) || depth === 0
      ? `${selector()}[${random.pick(durations)}]${offset()}`
      : `(${vector(depth - 1)})[${random.pick(durations)}:${random.pick(['30s', '1m', '50s'])}]${offset()}`;
  const binary = (depth: number): string => {
    const op = random.pick([
      '+',
      '-',
      '*',
      '/',
      '%',
      '>',
      '<=',
      '== bool',
      '!=',
      '> bool',
      'and',
      'or',
      'unless',
    ]);
    const isSet = ['and', 'or', 'unless'].includes(op);
    const matching = random.pick(['', ' on (pod)', ' ignoring (code)', ' on ()']);
    const group =
      isSet || matching === ''
        ? ''
        : random.pick(['', ' group_left ()', ' group_right (resource)']);
    return `(${vector(depth - 1)}) ${op}${matching}${group} (${vector(depth - 1)})`;
  };
  const vector = (depth: number): string => {
    const choice = random.int(0, depth === 0 ? 1 : 7);
    switch (choice) {
      case 0:
        return `${selector()}${offset()}`;
      case 1:
        return `${rangeName()}(${ranged(depth)})`;
      case 2:
        return `${random.pick(aggregations as [string, ...string[]])}${grouping()} (${vector(depth - 1)})`;
      case 3:
        return binary(depth);
      case 4:
        return `${random.pick(['abs', 'sqrt', 'exp'])}(${vector(depth - 1)})`;
      case 5:
        return `(${vector(depth - 1)}) ${random.pick(['*', '/', '+', '>', '< bool'])} ${random.int(-3, 200)}`;
      case 6:
        return `quantile${grouping()} (0.${random.int(1, 9)}, ${vector(depth - 1)})`;
      default:
        return `histogram_quantile(0.${random.int(1, 99)}, ${random.chance(0.5) ? 'sum by (le, service) ' : ''}(rate(latency_bucket[${random.pick(durations)}])))`;
    }
  };
  return Array.from({ length: count }, () => vector(3));
}
