/** Fields that do not fit together: each rule of src/api/v1alpha1/rules.ts has at least one object here that breaks it. */
import { absent } from './patch.ts';
import type { BadObject } from './row.ts';

const knownPlaceholders =
  '$(namespace) $(rollout) $(revision) $(weight) $(arm.service) $(stable.service) $(canary.service) $(window)';
const units = '% ms s m h B KB MB GB KiB MiB GiB or none';

type Said = readonly [where: string, ...texts: string[]];

function broken(
  rule: string,
  name: string,
  patch: BadObject['patch'],
  { server, operator }: { readonly server: Said; readonly operator: Said },
): BadObject {
  const [field, ...serverSays] = server;
  const [path, ...operatorSays] = operator;
  return {
    name,
    patch,
    server: { field, says: serverSays },
    operator: { path, rule, says: operatorSays },
  };
}

function duplicate(name: string, path: string, value: unknown, key: string): BadObject {
  return broken(
    'unique',
    name,
    { [path]: value },
    {
      server: [path, 'Duplicate value', key.split(' ').at(-1) ?? ''],
      operator: [path, `${key} stands there already`],
    },
  );
}

function badCondition(name: string, path: string, value: string, says: string): BadObject {
  return broken(
    'condition-form',
    name,
    { [path]: value },
    {
      server: [path, `condition "${value}"`, says, units],
      operator: [path, `condition ${JSON.stringify(value)}`, says, units],
    },
  );
}

function unknownPlaceholder(name: string, path: string, value: string, unknown: string): BadObject {
  return broken(
    'placeholders-known',
    name,
    { [path]: value },
    {
      server: [path, unknown, `known are ${knownPlaceholders}`],
      operator: [path, `unknown placeholder ${unknown}`, `known are ${knownPlaceholders}`],
    },
  );
}

const sources = 'metric, query, ratio, suite, probe, alerts';

const schedule = [
  broken(
    'step-weights-rise',
    'weights that fall',
    { 'spec.schedule.steps[0].weight': 60 },
    {
      server: [
        'spec.schedule.steps',
        'weights may rise or stay from step to step, never fall; they are [60, 50, 100]',
      ],
      operator: [
        'spec.schedule.steps[1].weight',
        '(half)',
        'weight 50 falls below the 60 of step dark',
      ],
    },
  ),
  broken(
    'step-times-rise',
    'steps out of time order',
    { 'spec.schedule.steps[1].at': '31h' },
    {
      server: [
        'spec.schedule.steps',
        'steps must stand in order of time; they are due at ["0h", "31h", "30h"]',
      ],
      operator: ['spec.schedule.steps[2].at', '(full)', '30h is before 31h, when step half is due'],
    },
  ),
  broken(
    'step-times-rise',
    'steps out of time order in different units',
    { 'spec.schedule.steps[1].at': '1801m' },
    {
      server: ['spec.schedule.steps', 'in order of time', '1801m'],
      operator: ['spec.schedule.steps[2].at', '30h is before 1801m'],
    },
  ),
  broken(
    'last-step-is-100',
    'a last step of 90',
    { 'spec.schedule.steps[2].weight': 90 },
    {
      server: ['spec.schedule.steps', 'the weight of the last step must be 100; it is 90'],
      operator: ['spec.schedule.steps[2].weight', '(full)', 'must be 100; it is 90'],
    },
  ),
  broken(
    'end-after-last-step',
    'an end before the last step',
    { 'spec.schedule.end': '29h' },
    {
      server: ['spec.schedule.end', 'end must not be before the last step; it is 29h', '["full"]'],
      operator: ['spec.schedule.end', 'end is 29h, before step full, which is due at 30h'],
    },
  ),
  broken(
    'end-after-start',
    'an end at the start',
    { 'spec.schedule': { steps: [{ name: 'all', at: '0s', weight: 100 }], end: '0s' } },
    {
      server: ['spec.schedule.end', 'must be later than the start', '0s'],
      operator: ['spec.schedule.end', 'must be later than the start'],
    },
  ),
  broken(
    'checkpoints-before-end',
    'a checkpoint after the end',
    { 'spec.schedule.checkpoints[0].at': '49h' },
    {
      server: [
        'spec.schedule.checkpoints',
        'checkpoints must not be after end, which is 48h; late are ["day-one"]',
      ],
      operator: ['spec.schedule.checkpoints[0].at', '(day-one)', '49h is after end, which is 48h'],
    },
  ),
  broken(
    'freeze-lasts',
    'a freeze of no length',
    { 'spec.schedule.freeze[0].duration': '0s' },
    {
      server: [
        'spec.schedule.freeze',
        'the duration of a freeze must be more than 0s',
        '["weekend"]',
      ],
      operator: ['spec.schedule.freeze[0].duration', '(weekend)', 'must be more than 0s'],
    },
  ),
];

const traffic = [
  broken(
    'traffic-goes-somewhere',
    'traffic without routes and flag',
    { 'spec.traffic.routes': absent, 'spec.traffic.featureFlag': absent },
    {
      server: ['spec.traffic', 'at least one entry in routes, or a featureFlag, or both'],
      operator: ['spec.traffic', 'at least one entry in routes, or a featureFlag, or both'],
    },
  ),
  broken(
    'traffic-goes-somewhere',
    'an empty list of routes and no flag',
    { 'spec.traffic.routes': [], 'spec.traffic.featureFlag': absent },
    { server: ['spec.traffic', 'it has neither'], operator: ['spec.traffic', 'it has neither'] },
  ),
  broken(
    'two-services',
    'one Service for both',
    { 'spec.traffic.canary.service': 'checkout-stable' },
    {
      server: [
        'spec.traffic.canary.service',
        'stable and canary must be two Services; both are "checkout-stable"',
      ],
      operator: ['spec.traffic.canary.service', 'both are "checkout-stable"'],
    },
  ),
  broken(
    'routes-need-services',
    'routes without a canary Service',
    { 'spec.traffic.canary': absent },
    {
      server: [
        'spec.traffic',
        'routes need traffic.stable and traffic.canary, unless workload is set',
      ],
      operator: [
        'spec.traffic.canary',
        'is required; routes need traffic.stable and traffic.canary',
      ],
    },
  ),
  broken(
    'route-kind-known',
    'a kind of route that is not known',
    { 'spec.traffic.routes[0].kind': 'HttpRoute' },
    {
      server: [
        'spec.traffic.routes[0].kind',
        'kind "HttpRoute" is not known and needs apiVersion; known are HTTPRoute, GRPCRoute',
      ],
      operator: [
        'spec.traffic.routes[0].kind',
        '(checkout)',
        'kind "HttpRoute" is not known and needs apiVersion; known are HTTPRoute',
      ],
    },
  ),
  broken(
    'route-api-version-fixed',
    'another apiVersion for a known kind',
    { 'spec.traffic.routes[0].apiVersion': 'gateway.networking.k8s.io/v1beta1' },
    {
      server: [
        'spec.traffic.routes[0].apiVersion',
        'apiVersion of kind HTTPRoute is gateway.networking.k8s.io/v1, not "gateway.networking.k8s.io/v1beta1"',
      ],
      operator: [
        'spec.traffic.routes[0].apiVersion',
        'is gateway.networking.k8s.io/v1, not "gateway.networking.k8s.io/v1beta1"',
      ],
    },
  ),
  broken(
    'generate-gateway-routes-only',
    'an Ingress that is to be generated',
    { 'spec.traffic.routes[1].kind': 'Ingress' },
    {
      server: [
        'spec.traffic.routes[1].generate',
        'generate is for HTTPRoute and GRPCRoute only, not for "Ingress"',
      ],
      operator: ['spec.traffic.routes[1].generate', 'generate is for HTTPRoute and GRPCRoute only'],
    },
  ),
  broken(
    'flag-names-its-flag',
    'a flagd document without the name of the flag',
    { 'spec.traffic.featureFlag.flag': absent },
    {
      server: ['spec.traffic.featureFlag', 'format Flagd needs flag, the name of the flag'],
      operator: ['spec.traffic.featureFlag.flag', 'format Flagd needs flag'],
    },
  ),
  broken(
    'flag-names-its-flag',
    'a percentage with the name of a flag',
    { 'spec.traffic.featureFlag.format': 'Percent' },
    {
      server: ['spec.traffic.featureFlag', 'format Percent has no flag: leave flag out'],
      operator: ['spec.traffic.featureFlag.flag', 'format Percent has no flag'],
    },
  ),
  broken(
    'revision-or-workload',
    'neither revision nor workload',
    { 'spec.revision': absent },
    {
      server: ['spec', 'revision is required without workload'],
      operator: ['spec.revision', 'revision is required without workload'],
    },
  ),
];

const analysis = [
  broken(
    'duration-at-least',
    'an interval of nothing',
    { 'spec.analysis.interval': '0s' },
    {
      server: ['spec.analysis.interval', 'must be at least 1s; it is 0s'],
      operator: ['spec.analysis.interval', 'must be at least 1s; it is 0s'],
    },
  ),
  broken(
    'duration-at-least',
    'an SLA of half a second',
    { 'spec.rollback.sla': '500ms' },
    {
      server: ['spec.rollback.sla', 'must be at least 1s; it is 500ms'],
      operator: ['spec.rollback.sla', 'must be at least 1s; it is 500ms'],
    },
  ),
  broken(
    'one-authentication',
    'two ways to authenticate',
    { 'spec.analysis.prometheus.bearerToken': { name: 'x', key: 'y' } },
    {
      server: ['spec.analysis.prometheus', 'at most one of basicAuth, bearerToken'],
      operator: ['spec.analysis.prometheus', 'at most one of basicAuth, bearerToken'],
    },
  ),
  broken(
    'cert-with-key',
    'a client certificate without its key',
    { 'spec.analysis.prometheus.tls.cert': { name: 'x', key: 'y' } },
    {
      server: ['spec.analysis.prometheus.tls', 'cert and key go together'],
      operator: ['spec.analysis.prometheus.tls', 'cert and key go together'],
    },
  ),
  broken(
    'header-one-value',
    'a header with two values',
    { 'spec.analysis.prometheus.headers[0].valueFrom': { name: 'x', key: 'y' } },
    {
      server: [
        'spec.analysis.prometheus.headers[0]',
        'set exactly one of value, valueFrom; set are: value valueFrom',
      ],
      operator: [
        'spec.analysis.prometheus.headers[0]',
        'set exactly one of value, valueFrom; set are: value valueFrom',
      ],
    },
  ),
  broken(
    'metric-one-source',
    'a metric with query and ratio',
    { 'spec.analysis.metrics[0].query': 'up' },
    {
      server: ['spec.analysis.metrics[0]', 'set exactly one of query, ratio; set are: query ratio'],
      operator: [
        'spec.analysis.metrics[0]',
        '(error-rate)',
        'set exactly one of query, ratio; set are: query ratio',
      ],
    },
  ),
  broken(
    'metric-one-source',
    'a metric with neither',
    { 'spec.analysis.metrics[1].query': absent },
    {
      server: ['spec.analysis.metrics[1]', 'set exactly one of query, ratio; set are: none'],
      operator: ['spec.analysis.metrics[1]', '(latency)', 'set are: none'],
    },
  ),
  unknownPlaceholder(
    'a mistyped placeholder in a query',
    'spec.analysis.metrics[1].query',
    'x{namespace="$(namepsace)"}',
    '$(namepsace)',
  ),
  unknownPlaceholder(
    'a mistyped placeholder in a ratio',
    'spec.analysis.metrics[0].ratio.bad',
    'x{service="$(service)"}',
    '$(service)',
  ),
  unknownPlaceholder(
    'a placeholder that is not closed',
    'spec.analysis.metrics[1].query',
    'x{namespace="$(namespace"}',
    '$(namespace',
  ),
  unknownPlaceholder(
    'a mistyped placeholder in a matcher',
    'spec.triggers[4].alerts.matchers[1]',
    'namespace="$(ns)"',
    '$(ns)',
  ),
];

const triggers = [
  badCondition(
    'an unknown unit',
    'spec.triggers[1].condition',
    '> 500furlongs',
    'unknown unit "furlongs"; allowed are',
  ),
  badCondition(
    'a condition without an operator',
    'spec.triggers[0].condition',
    '0.5%',
    'operators are > >= < <= == !=',
  ),
  badCondition(
    'an operator of another language',
    'spec.triggers[0].condition',
    '=> 0.5%',
    'operators are > >= < <= == !=',
  ),
  badCondition(
    'a criterion without a number',
    'spec.success.criteria[0].condition',
    '< much',
    'operators are > >= < <= == !=',
  ),
  badCondition(
    'a unit in the wrong case',
    'spec.success.criteria[0].condition',
    '< 20mib',
    'unknown unit "mib"; allowed are',
  ),
  broken(
    'trigger-one-source',
    'a trigger with metric and query',
    { 'spec.triggers[0].query': 'up' },
    {
      server: ['spec.triggers[0]', `set exactly one of ${sources}; set are: metric query`],
      operator: [
        'spec.triggers[0]',
        '(error-rate)',
        `set exactly one of ${sources}; set are: metric query`,
      ],
    },
  ),
  broken(
    'trigger-one-source',
    'a trigger with nothing to look at',
    { 'spec.triggers[1].metric': absent },
    {
      server: ['spec.triggers[1]', `set exactly one of ${sources}; set are: none`],
      operator: ['spec.triggers[1]', '(latency)', 'set are: none'],
    },
  ),
  broken(
    'trigger-name-free',
    'a trigger named like a built-in one',
    { 'spec.triggers[2].name': 'canary-down' },
    {
      server: ['spec.triggers[2].name', 'the name canary-down belongs to a built-in trigger'],
      operator: ['spec.triggers[2].name', 'the name canary-down belongs to a built-in trigger'],
    },
  ),
  broken(
    'measure-of-suite',
    'a measure without a suite',
    { 'spec.triggers[0].measure': 'Failed' },
    {
      server: ['spec.triggers[0].measure', 'measure Failed is for triggers with suite only'],
      operator: ['spec.triggers[0].measure', 'measure Failed is for triggers with suite only'],
    },
  ),
  broken(
    'compare-needs-arm',
    'a probe that is compared with stable',
    { 'spec.triggers[2].compareWithStable': { holdFor: '5m' } },
    {
      server: [
        'spec.triggers[2].compareWithStable',
        'compareWithStable needs metric, query or ratio',
      ],
      operator: [
        'spec.triggers[2].compareWithStable',
        '(down)',
        'compareWithStable needs metric, query or ratio',
      ],
    },
  ),
  broken(
    'sequential-needs-counts',
    'a probe that is judged by counts',
    { 'spec.triggers[2].judge': 'Sequential' },
    {
      server: [
        'spec.triggers[2].judge',
        'judge Sequential needs ratio, or a metric that is a ratio',
      ],
      operator: ['spec.triggers[2].judge', 'judge Sequential needs ratio'],
    },
  ),
  broken(
    'sequential-metric-is-ratio',
    'a query that is judged by counts',
    { 'spec.triggers[1].judge': 'Sequential' },
    {
      server: [
        'spec.triggers',
        'judge Sequential needs a metric that is a ratio; it is a query in these triggers: ["latency"]',
      ],
      operator: ['spec.triggers[1].judge', '(latency)', 'latency is a query'],
    },
  ),
  broken(
    'rung-suite',
    'RunSuite without a suite',
    { 'spec.triggers[1].onFiring[1].suite': absent },
    {
      server: ['spec.triggers[1].onFiring[1]', 'action RunSuite needs suite'],
      operator: ['spec.triggers[1].onFiring[1].suite', 'action RunSuite needs suite'],
    },
  ),
  broken(
    'rung-suite',
    'Hold with a suite',
    { 'spec.triggers[1].onFiring[0].suite': 'smoke' },
    {
      server: ['spec.triggers[1].onFiring[0]', 'action Hold has no suite: leave suite out'],
      operator: ['spec.triggers[1].onFiring[0].suite', 'action Hold has no suite'],
    },
  ),
  broken(
    'findings-need-suite',
    'new failures of no suite',
    { 'spec.triggers[1].onFiring': [{ action: 'Rollback', when: 'NewFailures' }] },
    {
      server: ['spec.triggers[1].onFiring', 'when NewFailures and KnownFlakyOnly need a suite'],
      operator: ['spec.triggers[1].onFiring[0].when', 'when NewFailures needs a suite'],
    },
  ),
];

const suitesAndCriteria = [
  broken(
    'suite-one-runner',
    'a suite that nothing runs',
    { 'spec.healthSuites[0].http': absent },
    {
      server: ['spec.healthSuites[0]', 'set exactly one of http, jobTemplate; set are: none'],
      operator: ['spec.healthSuites[0]', '(smoke)', 'set are: none'],
    },
  ),
  broken(
    'suite-one-runner',
    'a suite that is run twice',
    { 'spec.healthSuites[0].jobTemplate': { spec: {} } },
    {
      server: ['spec.healthSuites[0]', 'set are: http jobTemplate'],
      operator: ['spec.healthSuites[0]', 'set are: http jobTemplate'],
    },
  ),
  broken(
    'suite-timeout-within-interval',
    'a suite that may outlast its interval',
    { 'spec.healthSuites[0].timeout': '6m' },
    {
      server: [
        'spec.healthSuites[0].timeout',
        'timeout must not be longer than interval, which is 5m; it is 6m',
      ],
      operator: ['spec.healthSuites[0].timeout', '(smoke)', 'which is 5m; it is 6m'],
    },
  ),
  broken(
    'criterion-one-source',
    'a criterion with two sources',
    { 'spec.success.criteria[0].suite': 'smoke' },
    {
      server: [
        'spec.success.criteria[0]',
        'set exactly one of metric, query, ratio, suite; set are: metric suite',
      ],
      operator: ['spec.success.criteria[0]', '(error-rate)', 'set are: metric suite'],
    },
  ),
  broken(
    'criterion-one-source',
    'a baseline criterion with no source',
    { 'spec.rollback.baseline[0].metric': absent },
    {
      server: ['spec.rollback.baseline[0]', 'set are: none'],
      operator: ['spec.rollback.baseline[0]', 'set are: none'],
    },
  ),
];

const references = [
  broken(
    'trigger-metric-exists',
    'a trigger on a metric that is not there',
    { 'spec.triggers[1].metric': 'latency-p99' },
    {
      server: [
        'spec.triggers',
        'triggers ["latency"] name metric ["latency-p99"], which is not in analysis.metrics; known are ["error-rate", "latency"]',
      ],
      operator: [
        'spec.triggers[1].metric',
        '(latency)',
        'metric "latency-p99" is not in analysis.metrics; known are error-rate, latency',
      ],
    },
  ),
  broken(
    'trigger-suite-exists',
    'a trigger on a suite that is not there',
    { 'spec.triggers[3].suite': 'smok' },
    {
      server: [
        'spec.triggers',
        'triggers ["pass-rate"] name suite ["smok"], which is not in healthSuites; known are ["smoke"]',
      ],
      operator: [
        'spec.triggers[3].suite',
        '(pass-rate)',
        'suite "smok" is not in healthSuites; known are smoke',
      ],
    },
  ),
  broken(
    'criterion-metric-exists',
    'a criterion on a metric that is not there',
    { 'spec.success.criteria[0].metric': 'errors' },
    {
      server: [
        'spec.success.criteria',
        'success.criteria ["error-rate"] name metric ["errors"]',
        'known are ["error-rate", "latency"]',
      ],
      operator: ['spec.success.criteria[0].metric', 'metric "errors" is not in analysis.metrics'],
    },
  ),
  broken(
    'criterion-suite-exists',
    'a criterion on a suite that is not there',
    { 'spec.success.criteria[1].suite': 'fire' },
    {
      server: [
        'spec.success.criteria',
        'success.criteria ["pass-rate"] name suite ["fire"]',
        'known are ["smoke"]',
      ],
      operator: ['spec.success.criteria[1].suite', 'suite "fire" is not in healthSuites'],
    },
  ),
  broken(
    'baseline-metric-exists',
    'a baseline on a metric that is not there',
    { 'spec.rollback.baseline[0].metric': 'errors' },
    {
      server: [
        'spec.rollback.baseline',
        'rollback.baseline ["error-rate"] name metric ["errors"]',
        'known are ["error-rate", "latency"]',
      ],
      operator: ['spec.rollback.baseline[0].metric', 'metric "errors" is not in analysis.metrics'],
    },
  ),
  broken(
    'baseline-suite-exists',
    'a baseline on a suite that is not there',
    { 'spec.rollback.baseline[0]': { name: 'x', suite: 'fire', condition: '> 1' } },
    {
      server: [
        'spec.rollback.baseline',
        'rollback.baseline ["x"] name suite ["fire"]',
        'known are ["smoke"]',
      ],
      operator: ['spec.rollback.baseline[0].suite', 'suite "fire" is not in healthSuites'],
    },
  ),
  broken(
    'rung-suite-exists',
    'a rung that runs a suite that is not there',
    { 'spec.triggers[1].onFiring[1].suite': 'fire' },
    {
      server: [
        'spec.triggers',
        'a rung names a suite that is not in healthSuites, in these triggers: ["latency"]; known are ["smoke"]',
      ],
      operator: [
        'spec.triggers[1].onFiring[1].suite',
        '(latency)',
        'suite "fire" is not in healthSuites; known are smoke',
      ],
    },
  ),
  broken(
    'rollback-suite-exists',
    'a rollback that runs a suite that is not there',
    { 'spec.rollback.healthSuite': 'fire' },
    {
      server: [
        'spec.rollback.healthSuite',
        'suite "fire" is not in healthSuites; known are ["smoke"]',
      ],
      operator: [
        'spec.rollback.healthSuite',
        'suite "fire" is not in healthSuites; known are smoke',
      ],
    },
  ),
];

const duplicates = [
  duplicate(
    'two triggers of one name',
    'spec.triggers[5]',
    { name: 'latency', severity: 'Info', query: 'x', condition: '> 0' },
    'latency',
  ),
  duplicate(
    'two steps of one name',
    'spec.schedule.steps[3]',
    { name: 'half', at: '31h', weight: 100 },
    'half',
  ),
  duplicate(
    'two checkpoints of one name',
    'spec.schedule.checkpoints[1]',
    { name: 'day-one', at: '25h', require: ['Preflight'] },
    'day-one',
  ),
  duplicate(
    'two metrics of one name',
    'spec.analysis.metrics[2]',
    { name: 'latency', query: 'y' },
    'latency',
  ),
  duplicate(
    'two suites of one name',
    'spec.healthSuites[1]',
    { name: 'smoke', http: { url: 'http://x/' } },
    'smoke',
  ),
  duplicate(
    'two criteria of one name',
    'spec.success.criteria[2]',
    { name: 'pass-rate', query: 'x', condition: '> 0' },
    'pass-rate',
  ),
  duplicate(
    'one route twice',
    'spec.traffic.routes[2]',
    { kind: 'HTTPRoute', name: 'checkout' },
    'HTTPRoute checkout',
  ),
  duplicate(
    'one requirement twice',
    'spec.success.require[1]',
    'NoCriticalTriggers',
    'NoCriticalTriggers',
  ),
];

export const brokenRules: readonly BadObject[] = [
  ...schedule,
  ...traffic,
  ...analysis,
  ...triggers,
  ...suitesAndCriteria,
  ...references,
  ...duplicates,
];
