/** Rules of the whole spec: what names something must name something that is there. */
import type { RolloutSpec } from './spec.ts';
import { type CelRule, type Finding, type PathPart, type Twin, twins } from './twin.ts';

interface Reference {
  readonly name: string;
  /** CEL: the list whose entries refer, and whether it is there. */
  readonly from: { readonly list: string; readonly present: string };
  readonly field: 'metric' | 'suite';
  readonly path: readonly PathPart[];
  readonly entries: (spec: RolloutSpec) => readonly Referring[];
}

interface Referring {
  readonly name: string;
  readonly metric?: string | undefined;
  readonly suite?: string | undefined;
}

const targets = {
  metric: {
    where: 'analysis.metrics',
    cel: {
      list: 'self.analysis.metrics',
      present: 'has(self.analysis) && has(self.analysis.metrics)',
    },
    names: (spec: RolloutSpec) => spec.analysis.metrics.map((metric) => metric.name),
  },
  suite: {
    where: 'healthSuites',
    cel: { list: 'self.healthSuites', present: 'has(self.healthSuites)' },
    names: (spec: RolloutSpec) => spec.healthSuites.map((suite) => suite.name),
  },
} as const;

const lists = {
  triggers: {
    from: { list: 'self.triggers', present: 'has(self.triggers)' },
    path: ['triggers'],
    entries: (spec: RolloutSpec) => spec.triggers,
  },
  criteria: {
    from: {
      list: 'self.success.criteria',
      present: 'has(self.success) && has(self.success.criteria)',
    },
    path: ['success', 'criteria'],
    entries: (spec: RolloutSpec) => spec.success.criteria,
  },
  baseline: {
    from: {
      list: 'self.rollback.baseline',
      present: 'has(self.rollback) && has(self.rollback.baseline)',
    },
    path: ['rollback', 'baseline'],
    entries: (spec: RolloutSpec) => spec.rollback.baseline,
  },
} as const;

export const referenceTwins = twins<RolloutSpec>(
  reference({ name: 'trigger-metric-exists', field: 'metric', ...lists.triggers }),
  reference({ name: 'trigger-suite-exists', field: 'suite', ...lists.triggers }),
  reference({ name: 'criterion-metric-exists', field: 'metric', ...lists.criteria }),
  reference({ name: 'criterion-suite-exists', field: 'suite', ...lists.criteria }),
  reference({ name: 'baseline-metric-exists', field: 'metric', ...lists.baseline }),
  reference({ name: 'baseline-suite-exists', field: 'suite', ...lists.baseline }),
  {
    name: 'rung-suite-exists',
    cel: {
      rule: `!has(self.triggers) || self.triggers.all(t, !has(t.onFiring) || t.onFiring.all(r, !has(r.suite) || ${exists('suite', 'r.suite')}))`,
      message: 'a rung of a trigger names a suite that is not in healthSuites',
      messageExpression: `'a rung names a suite that is not in healthSuites, in these triggers: %s; known are %s'.format([self.triggers.filter(t, has(t.onFiring) && t.onFiring.exists(r, has(r.suite) && !${exists('suite', 'r.suite')})).map(t, t.name), ${knownCel('suite')}])`,
      fieldPath: '.triggers',
    },
    check: (spec) =>
      spec.triggers.flatMap((trigger, index) =>
        (trigger.onFiring ?? []).flatMap((rung, rungIndex) =>
          missing(spec, 'suite', rung.suite, ['triggers', index, 'onFiring', rungIndex, 'suite']),
        ),
      ),
  },
  {
    name: 'rollback-suite-exists',
    cel: {
      rule: `!has(self.rollback) || !has(self.rollback.healthSuite) || ${exists('suite', 'self.rollback.healthSuite')}`,
      message: 'rollback.healthSuite names a suite that is not in healthSuites',
      messageExpression: `'suite "%s" is not in healthSuites; known are %s'.format([self.rollback.healthSuite, ${knownCel('suite')}])`,
      fieldPath: '.rollback.healthSuite',
    },
    check: (spec) => missing(spec, 'suite', spec.rollback.healthSuite, ['rollback', 'healthSuite']),
  },
);

function reference({ name, from, field, path, entries }: Reference): Twin<RolloutSpec> {
  const { where } = targets[field];
  const dangling = `${from.list}.filter(t, has(t.${field}) && !${exists(field, `t.${field}`)})`;
  const cel: CelRule = {
    rule: `!(${from.present}) || ${from.list}.all(t, !has(t.${field}) || ${exists(field, `t.${field}`)})`,
    message: `${path.join('.')} name a ${field} that is not in ${where}`,
    // Lists go in through format: the API server has no estimate for the size of a joined one.
    messageExpression:
      `'${path.join('.')} %s name ${field} %s, which is not in ${where}; known are %s'.format([` +
      `${dangling}.map(t, t.name), ${dangling}.map(t, t.${field}), ${knownCel(field)}])`,
    fieldPath: `.${path.join('.')}`,
  };
  return {
    name,
    cel,
    check: (spec) =>
      entries(spec).flatMap((entry, index) =>
        missing(spec, field, entry[field], [...path, index, field]),
      ),
  };
}

function exists(field: 'metric' | 'suite', sought: string): string {
  const { list, present } = targets[field].cel;
  return `(${present} && ${list}.exists(known, known.name == ${sought}))`;
}

function knownCel(field: 'metric' | 'suite'): string {
  const { list, present } = targets[field].cel;
  return `(${present} ? ${list}.map(known, known.name) : [])`;
}

function missing(
  spec: RolloutSpec,
  field: 'metric' | 'suite',
  sought: string | undefined,
  path: readonly PathPart[],
): readonly Finding[] {
  const known = targets[field].names(spec);
  if (sought === undefined || known.includes(sought)) return [];
  const list = known.length === 0 ? 'none' : known.join(', ');
  const message = `${field} ${JSON.stringify(sought)} is not in ${targets[field].where}; known are ${list}`;
  return [{ path, message }];
}
