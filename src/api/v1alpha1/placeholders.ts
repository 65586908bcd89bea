/** Placeholders in queries: `$(namespace)` as in container args. `$$(` is a literal `$(`. */

export const placeholders = {
  namespace: "The rollout's namespace.",
  rollout: "The rollout's name.",
  revision: 'The revision that is being rolled out.',
  weight: "Canary's share in percent, 0 to 100.",
  'arm.service':
    'The Service of the arm that is asked about: canary for triggers and success criteria, stable for the baseline and comparisons.',
  'stable.service': 'The Service of stable.',
  'canary.service': 'The Service of canary.',
  window:
    'The time over which success criteria are judged, as a PromQL duration: since the run started, or since its last extension.',
} as const;

export type Placeholder = keyof typeof placeholders;
export type PlaceholderValues = Readonly<Record<Placeholder, string>>;

export const placeholderNames = Object.keys(placeholders) as readonly Placeholder[];

/** The same pattern stands in the CRD. A run of several `$` before the `(` is a literal. */
export const placeholderPattern = '[$]+[(][A-Za-z0-9_.-]*[)]?';

/**
 * A text without unknown placeholders, as one pattern for the CRD. RE2 cannot look ahead, so the whole text is
 * described: other text, runs of `$`, known placeholders.
 */
export const knownPlaceholdersPattern = `^([^$]|[$][$]+|[$][^$(]|[$][(](${placeholderNames.join('|').replaceAll('.', '[.]')})[)])*[$]?$`;

/** Puts the values in, escaped so that they stay within a PromQL string. Unknown placeholders stay as they are. */
export function substitute(text: string, values: PlaceholderValues): string {
  return text.replaceAll(new RegExp(placeholderPattern, 'g'), (found) => {
    if (found.startsWith('$$')) return found.slice(1);
    const name = found.slice(2, -1);
    return found.endsWith(')') && isPlaceholder(name) ? escape(values[name]) : found;
  });
}

/**
 * The text with a stand-in of the same length for each placeholder, so that it parses as PromQL and every place in
 * it is the same place in the text. A window is a duration, a weight a number, all others are words in a string.
 */
export function withStandIns(text: string): string {
  return text.replaceAll(new RegExp(placeholderPattern, 'g'), (found) => {
    if (!found.endsWith(')') || !isPlaceholder(found.slice(2, -1))) return found;
    if (found === '$(window)') return '1m'.padStart(found.length, '0');
    return (found === '$(weight)' ? '0' : 'x').repeat(found.length);
  });
}

/** What looks like a placeholder and is none, as it was written: `$(namepsace)`. */
export function unknownPlaceholders(text: string): readonly string[] {
  return placeholdersIn(text).filter(
    (found) => !isPlaceholder(found.slice(2, -1)) || !found.endsWith(')'),
  );
}

/** The known placeholders that a text uses. */
export function usedPlaceholders(text: string): readonly Placeholder[] {
  return placeholdersIn(text)
    .filter((found) => found.endsWith(')'))
    .map((found) => found.slice(2, -1))
    .filter(isPlaceholder);
}

function placeholdersIn(text: string): readonly string[] {
  return (text.match(new RegExp(placeholderPattern, 'g')) ?? []).filter(
    (found) => !found.startsWith('$$'),
  );
}

function isPlaceholder(name: string): name is Placeholder {
  return Object.hasOwn(placeholders, name);
}

/** A revision is any string. As \x escapes its quotes cannot end a PromQL string of either quote. */
function escape(value: string): string {
  return value.replaceAll(
    /["'`\\\n\r]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
