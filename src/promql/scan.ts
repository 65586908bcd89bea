/**
 * A first look over the text, for the mistakes that people make most: strings and brackets that are not closed. The
 * grammar, made for editors, forgives an open string, and says of an open bracket only that something is missing.
 */
import { PromqlFault } from './ast.ts';

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

export function scan(text: string): void {
  const open: { readonly char: string; readonly from: number }[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '"' || char === "'" || char === '`') {
      at = endOfString(text, at);
    } else if (char === '#') {
      at = endOfLine(text, at);
    } else {
      if (char in CLOSING) open.push({ char, from: at });
      else if (char === ')' || char === ']' || char === '}') close(open.pop(), char, at);
      at += 1;
    }
  }
  const [first] = open.slice(-1);
  if (first) throw new PromqlFault(first.from, `"${first.char}" is never closed`);
}

function close(
  opened: { readonly char: string; readonly from: number } | undefined,
  char: string,
  at: number,
): void {
  if (!opened) throw new PromqlFault(at, `"${char}" closes nothing`);
  const wanted = CLOSING[opened.char];
  if (wanted !== char)
    throw new PromqlFault(at, `found "${char}" where "${wanted}" should close "${opened.char}"`);
}

/** The place after the closing quote. */
function endOfString(text: string, from: number): number {
  const quote = text.charAt(from);
  for (let at = from + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === quote) return at + 1;
    if (quote === '`') continue;
    if (char === '\n') break;
    if (char === '\\') at += 1;
  }
  throw new PromqlFault(from, `the string that begins with ${quote} is never closed`);
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}
