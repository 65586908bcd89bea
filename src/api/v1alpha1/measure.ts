/** What is measured: a query, or a ratio of two, with the rules that every place which measures shares. */
import { z } from 'zod';
import { conditionPattern, operators, parseCondition, unitNames } from './condition-text.ts';
import { limits } from './limits.ts';
import {
  knownPlaceholdersPattern,
  placeholderNames,
  placeholderPattern,
  unknownPlaceholders,
} from './placeholders.ts';
import { type CelRule, celString, type Finding, twins, withTwins } from './twin.ts';

const known = placeholderNames.map((name) => `$(${name})`);
const allowed = `known are ${known.join(' ')}, and $$( is a literal $(`;

const placeholderRule: CelRule = {
  rule: `self.matches(${celString(knownPlaceholdersPattern)})`,
  message: `unknown placeholder; ${allowed}`,
  messageExpression: `'unknown placeholder among %s; ${allowed}'.format([self.findAll(${celString(placeholderPattern)})])`,
};

export const templateTwins = twins<string>({
  name: 'placeholders-known',
  cel: placeholderRule,
  check: (text) => {
    const unknown = unknownPlaceholders(text);
    if (unknown.length === 0) return [];
    return [{ path: [], message: `unknown placeholder ${unknown.join(' ')}; ${allowed}` }];
  },
});

/** Text with placeholders: a query, a matcher. */
export function template(meaning: string, lengthMax: number) {
  return withTwins(z.string().min(1).max(lengthMax), templateTwins).describe(meaning);
}

export function query(meaning: string) {
  return template(meaning, limits.queryLengthMax);
}

export const ratioSchema = z
  .object({
    bad: query(
      'PromQL that counts the bad ones. No series at all counts as 0 while `total` is above 0.',
    ),
    total: query('PromQL that counts all. 0 is no traffic; no series is a broken chain.'),
  })
  .describe(
    'A share of failures: a healthy service has no failing series at all, and that is told apart from no data.',
  );

const conditionWithAnyUnit = `^(${operators.join('|')}) *-?[0-9]{1,15}([.][0-9]{1,15})? *[^0-9. ]*$`;

const conditionRule: CelRule = {
  rule: `self.matches(${celString(conditionPattern)})`,
  message: `must be "<operator> <number><unit>"; operators are ${operators.join(' ')}, units are ${unitNames.join(' ')} or none`,
  messageExpression:
    `'condition "' + self + '"' + (self.matches(${celString(conditionWithAnyUnit)}) ` +
    `? ': unknown unit "' + self.find('[^0-9. ]*$') + '"; allowed are ${unitNames.join(' ')} or none' ` +
    `: ' is not "<operator> <number><unit>", such as "> 0.5%"; operators are ${operators.join(' ')}, units are ${unitNames.join(' ')} or none')`,
};

export const conditionTwins = twins<string>({
  name: 'condition-form',
  cel: conditionRule,
  check: (text) => {
    const wrong = conditionProblem(text);
    return wrong === undefined ? [] : [{ path: [], message: wrong }];
  },
});

export function condition(meaning: string) {
  return withTwins(z.string().max(limits.conditionLengthMax), conditionTwins).describe(meaning);
}

function conditionProblem(text: string): string | undefined {
  try {
    parseCondition(text);
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** CEL and TypeScript for "exactly one of these fields". */
export function exactlyOneCel(fields: readonly string[]): CelRule {
  const set = `[${fields.map((field) => `has(self.${field})`).join(', ')}]`;
  // Concatenated, since a joined list has no size that the API server could estimate.
  const named = fields.map((field) => `(has(self.${field}) ? ' ${field}' : '')`).join(' + ');
  return {
    rule: `${set}.exists_one(isSet, isSet)`,
    message: `set exactly one of ${fields.join(', ')}`,
    messageExpression: `'set exactly one of ${fields.join(', ')}; set are:' + (${set}.exists(isSet, isSet) ? ${named} : ' none')`,
  };
}

export function exactlyOneFinding(value: object, fields: readonly string[]): readonly Finding[] {
  const set = fields.filter((field) => Reflect.get(value, field) !== undefined);
  if (set.length === 1) return [];
  const named = set.length === 0 ? 'none' : set.join(' ');
  return [{ path: [], message: `set exactly one of ${fields.join(', ')}; set are: ${named}` }];
}
