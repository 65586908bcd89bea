/** The known words that a mistyped one was probably meant to be. */

/** More slips than this, or than a third of the word, and a guess would only confuse. */
const SLIPS_MAX = 3;

export function nearest(word: string, known: readonly string[]): string | undefined {
  return likely(word, known)[0];
}

/** All that it may have been meant to be, the likeliest first. */
export function likely(word: string, known: readonly string[]): readonly string[] {
  const allowed = Math.min(SLIPS_MAX, Math.ceil(word.length / 3));
  return ranked(word, known)
    .filter(({ slips: count }) => count <= allowed)
    .map(({ candidate }) => candidate);
}

/** All that are known, those with the fewest slips first. */
export function nearestFirst(word: string, known: readonly string[]): readonly string[] {
  return ranked(word, known).map(({ candidate }) => candidate);
}

function ranked(word: string, known: readonly string[]) {
  return known
    .map((candidate) => ({ candidate, slips: slips(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.slips - b.slips);
}

/** Levenshtein's distance: insertions, deletions and replacements of one letter. */
function slips(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of a.split('').entries()) {
    const next = [i + 1];
    for (const [j, other] of b.split('').entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
