/** What an event says of a trigger: name, value and threshold. Its query, which may be long, stands in status and report. */
import type { EventDraft } from './decision.ts';

const QUERY = ' (query ';

export function brief(event: EventDraft): EventDraft {
  const note = withoutQueries(event.note);
  return note === event.note ? event : { ...event, note };
}

/** Leaves out every ` (query …)`, to the bracket that closes it; those in quotes are text. */
export function withoutQueries(note: string): string {
  let rest = note;
  let brief = '';
  for (let at = rest.indexOf(QUERY); at >= 0; at = rest.indexOf(QUERY)) {
    brief += rest.slice(0, at);
    rest = rest.slice(closingAfter(rest, at + 2));
  }
  return brief + rest;
}

/** Where the text goes on after the bracket that closes the one before `from`; its end where none does. */
function closingAfter(text: string, from: number): number {
  let depth = 1;
  let quote: string | undefined;
  for (let at = from; at < text.length; at += 1) {
    const one = text[at];
    if (quote !== undefined) {
      if (one === '\\') at += 1;
      else if (one === quote) quote = undefined;
    } else if (one === '"' || one === "'" || one === '`') quote = one;
    else if (one === '(') depth += 1;
    else if (one === ')') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}
