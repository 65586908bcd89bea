/** Fields whose own form is wrong: types, bounds, lengths, patterns, enumerations, what is required. */
import { absent } from './patch.ts';
import { type BadObject, malformed } from './row.ts';

const durationPattern = '^([0-9]{1,5}(h|m|s|ms)){1,4}$';
const namePattern = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';

function required(name: string, path: string): BadObject {
  return malformed(name, path, absent, { server: ['Required value'], operator: ['is required'] });
}

function oneOf(name: string, path: string, value: string, allowed: readonly string[]): BadObject {
  return malformed(name, path, value, {
    server: [`Unsupported value: "${value}"`, allowed.map((one) => `"${one}"`).join(', ')],
    operator: [`"${value}" is not one of ${allowed.join(', ')}`],
  });
}

function badDuration(name: string, path: string, value: string): BadObject {
  return malformed(name, path, value, {
    server: [`"${value}"`, durationPattern],
    operator: [`"${value}" is not a duration such as 90s, 5m, 6h or 1h30m`],
  });
}

function badName(name: string, path: string, value: string): BadObject {
  return malformed(name, path, value, {
    server: [`"${value}"`, namePattern],
    operator: [`"${value}" is not a name of lower case letters, digits and -`],
  });
}

function atMost(name: string, path: string, value: number, max: number): BadObject {
  return malformed(name, path, value, {
    server: [`${value}`, `less than or equal to ${max}`],
    operator: [`must be at most ${max}; it is ${value}`],
  });
}

function atLeast(name: string, path: string, value: number, min: number): BadObject {
  return malformed(name, path, value, {
    server: [`${value}`, `greater than or equal to ${min}`],
    operator: [`must be at least ${min}; it is ${value}`],
  });
}

function wrongType(name: string, path: string, value: string | number, wanted: string): BadObject {
  const is = Number.isInteger(value) ? 'integer' : typeof value;
  return malformed(name, path, value, {
    server: [`must be of type ${wanted}: "${is}"`],
    operator: [
      `${JSON.stringify(value)} is not a ${wanted === 'integer' ? 'whole number' : wanted}`,
    ],
  });
}

function tooLong(name: string, path: string, length: number, max: number): BadObject {
  return malformed(name, path, 'a'.repeat(length), {
    server: [`may not be more than ${max} bytes`],
    operator: [`must have at most ${max} characters; it has ${length}`],
  });
}

function tooMany(name: string, path: string, entries: readonly unknown[], max: number): BadObject {
  return malformed(name, path, entries, {
    server: [`Too many: ${entries.length}: must have at most ${max} items`],
    operator: [`must have at most ${max} entries; it has ${entries.length}`],
  });
}

function many<T>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

export const badFields: readonly BadObject[] = [
  atMost('a weight above 100', 'spec.schedule.steps[2].weight', 101, 100),
  atLeast('a weight below 0', 'spec.schedule.steps[0].weight', -1, 0),
  malformed('a weight that is not whole', 'spec.schedule.steps[1].weight', 12.5, {
    server: ['must be of type integer: "number"'],
    operator: ['12.5 is not a whole number'],
  }),
  wrongType('a weight in quotes', 'spec.schedule.steps[1].weight', '50', 'integer'),
  wrongType('a revision that YAML takes for a number', 'spec.revision', 1.1, 'string'),
  wrongType('paused that is a word', 'spec.paused', 'yes', 'boolean'),
  wrongType('a duration that is a number', 'spec.triggers[0].for', 300, 'string'),

  required('traffic that is missing', 'spec.traffic'),
  required('steps that are missing', 'spec.schedule.steps'),
  required('an end that is missing', 'spec.schedule.end'),
  required('a step without at', 'spec.schedule.steps[1].at'),
  required('a step without weight', 'spec.schedule.steps[1].weight'),
  required('a trigger without severity', 'spec.triggers[1].severity'),
  required('a trigger without condition', 'spec.triggers[1].condition'),
  required('a ratio without total', 'spec.analysis.metrics[0].ratio.total'),
  required('a criterion without condition', 'spec.success.criteria[0].condition'),
  required('a backend without port', 'spec.traffic.canary.port'),
  required('a hook without jobTemplate', 'spec.rollback.hooks[0].jobTemplate'),
  required('a secret reference without key', 'spec.analysis.prometheus.basicAuth.password.key'),
  required('a notification without channel', 'spec.notify[0].channel'),

  malformed('a schedule without a step', 'spec.schedule.steps', [], {
    server: ['should have at least 1 items'],
    operator: ['must have at least 1 entries; it has 0'],
  }),
  malformed('a ladder without a rung', 'spec.triggers[1].onFiring', [], {
    server: ['should have at least 1 items'],
    operator: ['must have at least 1 entries; it has 0'],
  }),
  malformed('an empty query', 'spec.analysis.metrics[1].query', '', {
    server: ['should be at least 1 chars long'],
    operator: ['must have at least 1 characters; it has 0'],
  }),

  oneOf('an unknown severity', 'spec.triggers[0].severity', 'Fatal', [
    'Critical',
    'Warning',
    'Info',
  ]),
  oneOf('an unknown action', 'spec.triggers[1].onFiring[0].action', 'Explode', [
    'Notify',
    'Hold',
    'RunSuite',
    'Rollback',
    'Continue',
  ]),
  oneOf('an unknown trend', 'spec.triggers[1].onFiring[2].when', 'Sideways', [
    'Worsening',
    'Improving',
    'Steady',
    'NewFailures',
    'KnownFlakyOnly',
  ]),
  oneOf('an unknown policy for no data', 'spec.triggers[0].noData', 'Panic', [
    'Hold',
    'Ignore',
    'Breach',
  ]),
  oneOf('an unknown judge', 'spec.triggers[0].judge', 'Bayes', ['Threshold', 'Sequential']),
  oneOf(
    'an unknown requirement of a checkpoint',
    'spec.schedule.checkpoints[0].require[0]',
    'Luck',
    ['Preflight', 'SuccessCriteria', 'HealthSuites', 'NoFiringTriggers'],
  ),
  oneOf('an unknown answer to a missed criterion', 'spec.success.onFailure', 'Ignore', [
    'Extend',
    'Rollback',
    'Hold',
  ]),
  oneOf('an unknown preflight policy', 'spec.preflight.policy', 'Maybe', [
    'Require',
    'Advise',
    'Skip',
  ]),
  oneOf('an unknown deletion policy', 'spec.deletionPolicy', 'Orphan', [
    'RestoreStable',
    'KeepTraffic',
  ]),
  oneOf('an unknown answer to a new revision', 'spec.onNewRevision', 'Ignore', [
    'Restart',
    'Queue',
    'Reject',
  ]),
  oneOf('an unknown flag format', 'spec.traffic.featureFlag.format', 'Json', ['Percent', 'Flagd']),
  oneOf(
    'an approval that excludes somebody unknown',
    'spec.schedule.steps[2].approval.notBy',
    'Anyone',
    ['Author'],
  ),
  oneOf('a hook in no stage', 'spec.rollback.hooks[0].stage', 'Celebrate', [
    'StopTraffic',
    'Verify',
    'Restore',
    'Stabilize',
    'Report',
  ]),
  oneOf('a canaryDown that does nothing', 'spec.canaryDown.action', 'Ignore', ['Rollback', 'Hold']),

  badDuration('an end in words', 'spec.schedule.end', '2 days'),
  badDuration('a step in days', 'spec.schedule.steps[1].at', '1d'),
  badDuration('a negative for', 'spec.triggers[0].for', '-5m'),
  badDuration('a fraction of an hour', 'spec.success.extendBy', '1.5h'),
  badDuration('an SLA without a unit', 'spec.rollback.sla', '900'),
  badDuration('a freeze without a length', 'spec.schedule.freeze[0].duration', 'long'),

  badName('a trigger named in capitals', 'spec.triggers[0].name', 'ErrorRate'),
  badName('a step whose name ends in a dash', 'spec.schedule.steps[0].name', 'dark-'),
  badName('a Service with an underscore', 'spec.traffic.stable.service', 'checkout_stable'),
  tooLong('a metric name of 64 letters', 'spec.analysis.metrics[1].name', 64, 63),
  tooLong('a query of more than 4,096 letters', 'spec.analysis.metrics[1].query', 4097, 4096),
  tooLong('a revision of 300 letters', 'spec.revision', 300, 253),

  malformed('a URL of another scheme', 'spec.analysis.prometheus.url', 'ftp://prometheus', {
    server: ['"ftp://prometheus"', '^https?:'],
    operator: ['"ftp://prometheus" is not a URL that begins with http:// or https://'],
  }),
  malformed('a probe without a scheme', 'spec.triggers[2].probe.url', 'checkout:80/health', {
    server: ['"checkout:80/health"', '^https?:'],
    operator: ['is not a URL that begins with http:// or https://'],
  }),
  malformed('a cron of four fields', 'spec.schedule.freeze[0].cron', '0 18 * *', {
    server: ['"0 18 * *"', '^[^ ]+( +[^ ]+){4}$'],
    operator: ['"0 18 * *" is not five fields: minute, hour, day of month, month, day of week'],
  }),
  atMost('a port above 65535', 'spec.traffic.canary.port', 70_000, 65_535),
  atLeast('a port of 0', 'spec.traffic.canary.port', 0, 1),
  atMost('a status code of 700', 'spec.triggers[2].probe.expectStatus', 700, 599),
  atLeast('a quorum of 0', 'spec.schedule.steps[2].approval.quorum', 0, 1),
  atMost('a history of 51 runs', 'spec.historyLimit', 51, 50),
  atLeast('records of no run', 'spec.snapshots.keepRuns', 0, 1),
  atLeast('fewer than no extensions', 'spec.success.maxExtensions', -1, 0),

  tooMany(
    '65 triggers',
    'spec.triggers',
    many(65, (index) => ({ name: `t${index}`, severity: 'Info', query: 'x', condition: '> 0' })),
    64,
  ),
  tooMany(
    '33 steps',
    'spec.schedule.steps',
    many(33, (index) => ({ name: `s${index}`, at: `${index}h`, weight: 100 })),
    32,
  ),
  tooMany(
    '17 routes',
    'spec.traffic.routes',
    many(17, (index) => ({ kind: 'HTTPRoute', name: `r${index}` })),
    16,
  ),
  tooMany(
    '9 rungs',
    'spec.triggers[1].onFiring',
    many(9, () => ({ action: 'Notify' })),
    8,
  ),
  tooMany(
    '65 metrics',
    'spec.analysis.metrics',
    many(65, (index) => ({
      name: index === 0 ? 'error-rate' : `m${index}`,
      ratio: { bad: 'x', total: 'y' },
    })),
    64,
  ),
  tooMany(
    '17 suites',
    'spec.healthSuites',
    many(17, (index) => ({
      name: index === 0 ? 'smoke' : `s${index}`,
      http: { url: 'http://x/' },
    })),
    16,
  ),
];
