/** Findings before it is said who relies on them, and what follows from one for the next. */
import type { FailedAnswer } from '#core/answer.ts';
import type { ChainCause, ChainFinding, ChainLink } from '#core/chain.ts';

export type Draft = Omit<ChainFinding, 'of'>;

/** Where, and what was looked at. */
export interface Place {
  readonly link: ChainLink;
  readonly subject: string;
}

export function fine(place: Place, message: string): Draft {
  return { ...place, verdict: 'fine', message };
}

export interface Fault {
  readonly cause: ChainCause;
  readonly message: string;
  readonly mend: string;
}

export function broken(place: Place, fault: Fault): Draft {
  return { ...place, verdict: 'broken', ...fault };
}

export function advice(place: Place, fault: Fault): Draft {
  return { ...place, verdict: 'advice', ...fault };
}

export function cannotTell(place: Place, message: string): Draft {
  return { ...place, verdict: 'cannotTell', message };
}

/** The first link that is broken; it silences the later ones. */
export function brokenIn(drafts: readonly Draft[]): Draft | undefined {
  return drafts.find(({ verdict }) => verdict === 'broken');
}

/** The same said twice: of the same thing, or in the same words. */
export function isSame(a: Draft, b: Draft): boolean {
  if (a.link !== b.link || a.verdict !== b.verdict || a.cause !== b.cause) return false;
  return a.message === b.message || (a.cause !== undefined && a.subject === b.subject);
}

/** What one system has not told: it did not answer as it should, which is not good. */
export function notTold(
  place: Place,
  what: string,
  told: { readonly type: 'cannotTell' | 'failed'; readonly message: string },
): Draft {
  if (told.type === 'cannotTell') {
    return cannotTell(place, `${what} cannot be told: ${told.message}`);
  }
  return broken(place, {
    cause: 'unreachable',
    message: `${what} cannot be read: ${told.message}`,
    mend: 'See that it answers, and that the operator may ask it.',
  });
}

/** A query that was answered with an error. */
export function queryFault(place: Place, answer: FailedAnswer): Draft {
  const { fault, message } = answer;
  if (fault === 'unreachable' || fault === 'timeout' || fault === 'refused') {
    return broken(
      { link: 'prometheus', subject: place.subject },
      {
        cause: 'unreachable',
        message: `Prometheus does not answer: ${message}`,
        mend: 'See that Prometheus runs, has the capacity for the query, and lets the operator ask.',
      },
    );
  }
  const mend =
    fault === 'tooLarge'
      ? 'Narrow the query, or record it with a rule and ask for the recorded series.'
      : fault === 'partial'
        ? 'Mend the store behind Prometheus that does not answer: what it holds is missing from every answer.'
        : 'Correct the query: Prometheus refuses it.';
  return broken(place, { cause: 'queryFails', message: `the query fails: ${message}`, mend });
}

/** What to do, behind the word that was probably meant. */
export function unless(guess: string | undefined, mend: string): string {
  const sentence = `${mend.slice(0, 1).toUpperCase()}${mend.slice(1)}`;
  return guess === undefined ? sentence : `Did you mean ${guess}? Otherwise ${mend}`;
}

/** `a, b, c and 4 more`. */
export function listed(names: readonly string[], most = 5): string {
  const rest = names.length - most;
  const shown = names.slice(0, most).join(', ');
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
