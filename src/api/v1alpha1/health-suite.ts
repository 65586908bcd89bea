/** `spec.healthSuites[]`: suites of tests that the operator runs in mid-rollout and counts. */
import { z } from 'zod';
import { defaults } from './defaults.ts';
import { duration, parseDuration } from './duration.ts';
import { limits } from './limits.ts';
import { exactlyOneCel, exactlyOneFinding } from './measure.ts';
import { atLeast, atomicList, foreign, name, url } from './scalars.ts';
import { celIsDuration, type Plain, twins, withTwins } from './twin.ts';

const healthSuiteObject = z.object({
  name: name('Unique among the suites.'),
  interval: atLeast('1s', duration('How often it runs.')).default(defaults.healthSuite.interval),
  timeout: atLeast('1s', duration('When a run is given up. Without it: `interval`.')).optional(),
  http: z
    .object({ url: url('Answers a POST with totals as JSON or JUnit.') })
    .describe('Runs it by an HTTP request.')
    .optional(),
  jobTemplate: foreign(
    'Runs it as a Job: a JobTemplateSpec of batch/v1. Its result is JSON in the termination message of its pod, or JUnit XML on its log.',
  ).optional(),
  knownFlaky: atomicList(z.string().min(1).max(limits.patternLengthMax), limits.knownFlakyMax)
    .describe(
      'Regular expressions for the names of tests that are known to be flaky. Their failures count as failures, and are also counted apart.',
    )
    .default([]),
});

export type HealthSuite = Plain<z.output<typeof healthSuiteObject>>;

export const healthSuiteTwins = twins<HealthSuite>(
  {
    name: 'suite-one-runner',
    cel: exactlyOneCel(['http', 'jobTemplate']),
    check: (suite) => exactlyOneFinding(suite, ['http', 'jobTemplate']),
  },
  {
    name: 'suite-timeout-within-interval',
    cel: {
      rule: `!has(self.timeout) || !${celIsDuration('self.timeout')} || !${celIsDuration('self.interval')} || duration(self.timeout) <= duration(self.interval)`,
      message: 'timeout must not be longer than interval',
      messageExpression:
        "'timeout must not be longer than interval, which is ' + self.interval + '; it is ' + self.timeout",
      fieldPath: '.timeout',
    },
    check: ({ timeout, interval }) =>
      timeout === undefined || parseDuration(timeout) <= parseDuration(interval)
        ? []
        : [
            {
              path: ['timeout'],
              message: `timeout must not be longer than interval, which is ${interval}; it is ${timeout}`,
            },
          ],
  },
);

export const healthSuiteSchema = withTwins(healthSuiteObject, healthSuiteTwins);
