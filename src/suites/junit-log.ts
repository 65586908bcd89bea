/**
 * JUnit XML among the other lines of a log. The document that began last is the one that counts: if it is cut, an
 * earlier one says nothing of how the suite ended.
 */

export type FoundJunit =
  | { readonly type: 'document'; readonly text: string }
  /** It begins with this element, which does not end. */
  | { readonly type: 'cut'; readonly element: string }
  | { readonly type: 'none' };

/** The tags that say where a document begins and ends; all others lie within. */
const NAMES = /\?xml(?=\s)|\/?testsuites?(?=[\s/>])/y;
const LINE_START = /(?:^|[\n\r]|\?>)\s*$/;
/** How far in a line a document may begin. */
const INDENT_MAX = 200;
/** Within a document these hide what looks like tags. */
const HIDING = [
  ['<![CDATA[', ']]>'],
  ['<!--', '-->'],
] as const;

interface Tag {
  readonly name: string;
  /** Ends behind `/>`. */
  readonly isEmpty: boolean;
  readonly start: number;
  readonly end: number;
}

interface Open {
  readonly start: number;
  readonly element: string;
  depth: number;
}

/**
 * A document begins at the start of a line, or behind an XML declaration, with `<testsuites>` or `<testsuite>`. One walk
 * over the text, in time linear in its length: whoever writes rollouts may write any log.
 */
export function lastJunit(text: string): FoundJunit {
  let last: FoundJunit = { type: 'none' };
  let open: Open | undefined;
  for (let at = text.indexOf('<'); at !== -1; at = text.indexOf('<', at)) {
    const hidingEnd = open === undefined ? at : endOfHiding(text, at);
    if (hidingEnd === -1) break;
    const tag = hidingEnd > at ? undefined : tagAt(text, at);
    at = tag?.end ?? Math.max(hidingEnd, at + 1);
    if (tag === undefined) continue;
    const { name, isEmpty, start, end } = tag;
    // No document holds one of these, so the one before was never finished.
    if (open !== undefined && (name === '?xml' || name === 'testsuites')) {
      last = { type: 'cut', element: open.element };
      open = undefined;
    }
    if (name === '?xml') continue;
    if (open !== undefined) {
      if (name.startsWith('/')) open.depth -= 1;
      else if (!isEmpty) open.depth += 1;
    } else if (!name.startsWith('/') && beginsLine(text, start)) {
      open = { start, element: name, depth: isEmpty ? 0 : 1 };
    }
    if (open?.depth !== 0) continue;
    last = { type: 'document', text: text.slice(open.start, end) };
    open = undefined;
  }
  return open === undefined ? last : { type: 'cut', element: open.element };
}

/** `at` where nothing is hidden, -1 where what hides never ends. */
function endOfHiding(text: string, at: number): number {
  const found = HIDING.find(([from]) => text.startsWith(from, at));
  if (found === undefined) return at;
  const end = text.indexOf(found[1], at + found[0].length);
  return end === -1 ? -1 : end + found[1].length;
}

function tagAt(text: string, start: number): Tag | undefined {
  NAMES.lastIndex = start + 1;
  const name = NAMES.exec(text)?.[0];
  const end = name === undefined ? -1 : endOfTag(text, start + 1 + name.length);
  if (name === undefined || end === -1) return undefined;
  return { name, isEmpty: text[end - 2] === '/', start, end };
}

/** Values in quotes may hold `>`, and nothing in a tag holds `<`. */
function endOfTag(text: string, from: number): number {
  let quote: string | undefined;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (char === '<') return -1;
    if (quote === undefined && char === '>') return at + 1;
    if (char === quote) quote = undefined;
    else if (quote === undefined && (char === '"' || char === "'")) quote = char;
  }
  return -1;
}

/** Blanks may stand before it, and the XML declaration. */
function beginsLine(text: string, start: number): boolean {
  return LINE_START.test(text.slice(Math.max(0, start - INDENT_MAX), start));
}
