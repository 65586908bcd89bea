/**
 * Matchers as Alertmanager reads them: its classic syntax, and the one with any UTF-8 in names where that does not fit.
 * Where both fit, Alertmanager takes the classic one (matcher/compat of its sources).
 */

import { RE2JS } from 're2js';
import { PromqlFault } from '#promql/ast.ts';
import { unquote } from '#promql/string.ts';

export interface Matcher {
  readonly name: string;
  readonly matches: (value: string) => boolean;
}

const OPERATORS = ['=~', '!~', '!=', '='] as const;
type Operator = (typeof OPERATORS)[number];

/** One entry of `matchers`, which may hold several, with or without braces; undefined when it cannot be read. */
export function parseMatchers(text: string): readonly Matcher[] | undefined {
  return parseClassic(text) ?? parseUtf8(text);
}

/** Go's regular expressions, bound at both ends; undefined when it is none. */
export function matcherOf(name: string, operator: Operator, value: string): Matcher | undefined {
  if (operator === '=') return { name, matches: (found) => found === value };
  if (operator === '!=') return { name, matches: (found) => found !== value };
  try {
    const pattern = RE2JS.compile(`^(?:${value})$`);
    const isWanted = operator === '=~';
    return { name, matches: (found) => pattern.matcher(found).find() === isWanted };
  } catch {
    return undefined;
  }
}

/** A label that an alert does not have is an empty one. */
export function allMatch(
  matchers: readonly Matcher[],
  labels: Readonly<Record<string, string>>,
): boolean {
  return matchers.every(({ name, matches }) => matches(labels[name] ?? ''));
}

function parseClassic(text: string): readonly Matcher[] | undefined {
  const tokens = splitOutsideQuotes(text.replace(/^\{/, '').replace(/\}$/, ''));
  const matchers = tokens.map(parseClassicOne);
  const known = matchers.filter((one) => one !== undefined);
  return known.length === matchers.length ? known : undefined;
}

/** At commas; what is left empty behind the last one is dropped. */
function splitOutsideQuotes(text: string): string[] {
  const tokens: string[] = [];
  let token = '';
  let isQuoted = false;
  let isEscaped = false;
  for (const char of text) {
    if (char === ',' && !isQuoted) {
      tokens.push(token);
      token = '';
      continue;
    }
    if (char === '"' && !isEscaped) isQuoted = !isQuoted;
    isEscaped = char === '\\' && !isEscaped;
    token += char;
  }
  if (token.trim() !== '') tokens.push(token.trim());
  return tokens;
}

function parseClassicOne(token: string): Matcher | undefined {
  const [, name, operator, raw] =
    /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*$/su.exec(token) ?? [];
  const isKnown = OPERATORS.find((one) => one === operator);
  if (name === undefined || raw === undefined || isKnown === undefined) return undefined;
  const value = classicValue(raw);
  return value === undefined ? undefined : matcherOf(name, isKnown, value);
}

/** In quotes or without; a backslash means something only before a quote, a backslash and an `n`. */
function classicValue(raw: string): string | undefined {
  const isQuoted = raw.startsWith('"');
  if (isQuoted && !/^"(?:[^"\\]|\\.)*"$/su.test(raw)) return undefined;
  const inner = isQuoted ? raw.slice(1, -1) : raw;
  if (!/^(?:[^"\\]|\\.|\\$)*$/su.test(inner)) return undefined;
  return inner.replaceAll(/\\(.)/gsu, (found, char: string) => {
    if (char === 'n') return '\n';
    return char === '"' || char === '\\' ? char : found;
  });
}

const TOKEN = /\s*(?:([{},])|(=~|!~|!=|=)|("(?:[^"\\]|\\.)*")|([^\s{}!=~,\\"'`]+))/suy;

type Token =
  | { readonly type: 'mark'; readonly text: string }
  | { readonly type: 'operator'; readonly operator: Operator }
  | { readonly type: 'text'; readonly text: string };

function parseUtf8(text: string): readonly Matcher[] | undefined {
  const tokens = readTokens(text);
  if (tokens === undefined) return undefined;
  const [first] = tokens;
  const last = tokens.at(-1);
  const isOpen = first?.type === 'mark' && first.text === '{';
  const isClosed = last?.type === 'mark' && last.text === '}';
  if (isOpen !== isClosed) return undefined;
  const inner = isOpen ? tokens.slice(1, -1) : tokens;
  const matchers: Matcher[] = [];
  for (let at = 0; at < inner.length; at += 4) {
    const [name, operator, value, comma] = inner.slice(at, at + 4);
    if (name?.type !== 'text' || operator?.type !== 'operator' || value?.type !== 'text') {
      return undefined;
    }
    if (comma !== undefined && !(comma.type === 'mark' && comma.text === ',')) return undefined;
    const matcher = matcherOf(name.text, operator.operator, value.text);
    if (matcher === undefined) return undefined;
    matchers.push(matcher);
  }
  return matchers;
}

function readTokens(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  const whole = text.trimEnd();
  while (pattern.lastIndex < whole.length) {
    const found = pattern.exec(whole);
    if (found === null) return undefined;
    const [, mark, operator, quoted, bare] = found;
    const known = OPERATORS.find((one) => one === operator);
    if (mark !== undefined) tokens.push({ type: 'mark', text: mark });
    else if (known !== undefined) tokens.push({ type: 'operator', operator: known });
    else {
      const written = quoted === undefined ? bare : unquoted(quoted);
      if (written === undefined) return undefined;
      tokens.push({ type: 'text', text: written });
    }
  }
  return tokens;
}

/** As Go quotes a string; undefined when it holds an escape that Go does not know. */
function unquoted(text: string): string | undefined {
  try {
    return unquote(text, 0);
  } catch (error) {
    if (error instanceof PromqlFault) return undefined;
    throw error;
  }
}
