/**
 * Alertmanager matchers as PromQL: `severity="critical"`, `team!=web`, `job=~"a|b"`. How many alerts fire is
 * asked of the series ALERTS, which Prometheus keeps of its own rules: so alerts have a history, and a hold can be proved.
 */
import { triggerAlertLabel } from '#api/names.ts';

interface Matcher {
  readonly name: string;
  readonly operator: string;
  readonly value: string;
}

const FORM = 'a matcher such as severity="critical"; operators are = != =~ !~';

/**
 * @param where the field, for sentences
 * @returns undefined when a matcher cannot be read; then a sentence has been added to `problems`
 */
export function alertsQuery(
  matchers: readonly string[],
  where: string,
  problems: string[],
): string | undefined {
  const parsed = matchers.map((text) => {
    const matcher = parseMatcher(text);
    if (typeof matcher !== 'string') return matcher;
    problems.push(`${where}: ${JSON.stringify(text)} ${matcher}`);
    return undefined;
  });
  const known = parsed.filter((one) => one !== undefined);
  if (known.length < parsed.length) return undefined;
  const selector = known.map(({ name, operator, value }) => `${name}${operator}${quoted(value)}`);
  const isOursMeant = known.some(({ name }) => name === triggerAlertLabel);
  return countFiring([...selector, ...(isOursMeant ? [] : [NOT_OURS])]);
}

/** Alerts made from triggers say nothing that the triggers do not say themselves. */
const NOT_OURS = `${triggerAlertLabel}=""`;

/** How many alerts of this namespace fire with this severity, those made from triggers left out. */
export function firingQuery(namespace: string, severity: string): string {
  return countFiring([`severity=${quoted(severity)}`, `namespace=${quoted(namespace)}`, NOT_OURS]);
}

function countFiring(selector: readonly string[]): string {
  return `count(ALERTS{${['alertstate="firing"', ...selector].join(',')}}) or vector(0)`;
}

/** @returns the rest of a sentence when it is none */
export function parseMatcher(text: string): Matcher | string {
  const [, name, operator, raw] =
    /^\s*([^\s=!~"{},]+)\s*(=~|!~|!=|=)\s*(.*?)\s*$/su.exec(text) ?? [];
  if (name === undefined || operator === undefined || raw === undefined) return `is not ${FORM}`;
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) {
    return `names label ${JSON.stringify(name)}; a label has letters, digits and _, and begins with no digit`;
  }
  if (name === 'alertstate') return 'is about alertstate; only alerts that fire are counted';
  const value = raw.startsWith('"') ? unquoted(raw) : bare(raw);
  return value === undefined ? `is not ${FORM}, one in each entry` : { name, operator, value };
}

/** With a backslash before a quote, a backslash, or for a line break, as Alertmanager has it. */
function unquoted(raw: string): string | undefined {
  if (!/^"(?:[^"\\]|\\.)*"$/su.test(raw)) return undefined;
  return raw.slice(1, -1).replaceAll(/\\(.)/gsu, (found, char: string) => {
    if (char === 'n') return '\n';
    return char === '"' || char === '\\' ? char : found;
  });
}

/** Without quotes a value may not have what could mean something else. */
function bare(raw: string): string | undefined {
  return /[\s"{}=~!,\\]/u.test(raw) ? undefined : raw;
}

function quoted(value: string): string {
  const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `"${escaped}"`;
}
