/** A report goes where a spec does not: what looks like a credential is taken out of every sentence. */
import type { Report } from './data.ts';

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // user:password@ in a URL
  [/([a-z][a-z0-9+.-]*:\/\/)[^/\s@"'`]+@/gi, '$1…@'],
  [/\b(bearer|basic)\s+[a-z0-9+/=._~-]{8,}/gi, '$1 …'],
  [/([?&](?:access_token|token|api_key|apikey|key|password|secret)=)[^&\s"'`]+/gi, '$1…'],
];

export function withoutSecrets(report: Report): Report {
  return cleaned(report);
}

function cleaned<T>(value: T): T;
function cleaned(value: unknown): unknown {
  if (typeof value === 'string') {
    return PATTERNS.reduce((text, [pattern, instead]) => text.replace(pattern, instead), value);
  }
  if (Array.isArray(value)) return value.map((item) => cleaned<unknown>(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, cleaned<unknown>(inner)]),
  );
}
