/** What zod found, in the words of the rest of this API: the value that stands there, and what is allowed. */
import type { z } from 'zod';
import { durationForm, durationPattern } from './duration.ts';
import { scalarText } from './problem.ts';
import { cronPattern, namePattern, objectNamePattern, urlPattern } from './scalars.ts';

type Issue = z.core.$ZodIssue;

const patterns = new Map<string, string>([
  [durationPattern.source, durationForm],
  [namePattern.source, 'a name of lower case letters, digits and -'],
  [objectNamePattern.source, 'a name of lower case letters, digits, - and .'],
  [cronPattern.source, 'five fields: minute, hour, day of month, month, day of week'],
  [urlPattern.source, 'a URL that begins with http:// or https://'],
]);

export function issueText(issue: Issue, value: unknown): string {
  const shown = scalarText(value);
  if (issue.code === 'custom') return issue.message;
  if (value === undefined) return `is required${expectation(issue)}`;
  switch (issue.code) {
    case 'invalid_type':
      return `${shown ?? kindOf(value)} is not ${article(issue.expected)}`;
    case 'invalid_value':
      return `${shown ?? kindOf(value)} is not one of ${issue.values.map(String).join(', ')}`;
    case 'too_big':
      return bound(issue.origin, `at most ${issue.maximum}`, shown, value);
    case 'too_small':
      return bound(issue.origin, `at least ${issue.minimum}`, shown, value);
    case 'invalid_format':
      return `${shown ?? kindOf(value)} is not ${form(issue)}`;
    default:
      return issue.message;
  }
}

function bound(origin: string, limit: string, shown: string | undefined, value: unknown): string {
  if (origin === 'string') {
    const length = typeof value === 'string' ? value.length : 0;
    return `must have ${limit} characters; it has ${length}`;
  }
  if (origin === 'array' || origin === 'set') {
    const length = Array.isArray(value) ? value.length : 0;
    return `must have ${limit} entries; it has ${length}`;
  }
  return `must be ${limit}; it is ${shown ?? kindOf(value)}`;
}

function form(issue: Extract<Issue, { code: 'invalid_format' }>): string {
  const pattern = 'pattern' in issue && typeof issue.pattern === 'string' ? issue.pattern : '';
  const source = pattern.replace(/^\/(.*)\/[a-z]*$/s, '$1');
  return (
    patterns.get(source) ??
    (issue.format === 'datetime' ? 'a time such as 2026-11-22T04:10:00Z' : `of the form ${source}`)
  );
}

function expectation(issue: Issue): string {
  if (issue.code === 'invalid_value') return `: one of ${issue.values.map(String).join(', ')}`;
  return '';
}

/** Every number of this API is whole, though zod calls the type `number`. */
function article(expected: string): string {
  if (expected === 'int' || expected === 'number') return 'a whole number';
  return `${/^[aeiou]/.test(expected) ? 'an' : 'a'} ${expected}`;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return value === null ? 'null' : `a value of type ${typeof value}`;
}
