/**
 * The memory that is benchmarked: texts with a time to live, and no text twice. The same text is found by its hash, one that says the
 * same in other words by the share of words that both have.
 */
import { createHash } from 'node:crypto';

/** Words in common among all words of both, from which on two texts say the same. */
const SAME = 0.7;

export class MemoryStore {
  #entries = new Map();
  #byWord = new Map();
  #ttlMs;
  #now;
  exactDuplicates = 0;
  semanticDuplicates = 0;
  expired = 0;

  constructor({ ttlMs, now = () => performance.now() }) {
    this.#ttlMs = ttlMs;
    this.#now = now;
  }

  get size() {
    return this.#entries.size;
  }

  /** @returns {'new' | 'exact' | 'semantic'} */
  add(text) {
    this.#expire();
    const hash = createHash('sha256').update(text).digest('base64');
    if (this.#entries.has(hash)) {
      this.exactDuplicates += 1;
      return 'exact';
    }
    const tokens = new Set(text.toLowerCase().match(/[a-z0-9]+/g) ?? []);
    if (this.#isKnown(tokens)) {
      this.semanticDuplicates += 1;
      return 'semantic';
    }
    this.#entries.set(hash, { tokens, untilMs: this.#now() + this.#ttlMs });
    for (const token of tokens) {
      const holders = this.#byWord.get(token) ?? new Set();
      holders.add(hash);
      this.#byWord.set(token, holders);
    }
    return 'new';
  }

  #isKnown(tokens) {
    const common = new Map();
    for (const token of tokens) {
      for (const hash of this.#byWord.get(token) ?? []) {
        common.set(hash, (common.get(hash) ?? 0) + 1);
      }
    }
    for (const [hash, count] of common) {
      const other = this.#entries.get(hash)?.tokens.size ?? 0;
      if (count / (tokens.size + other - count) >= SAME) return true;
    }
    return false;
  }

  /** Entries expire in the order in which they came. */
  #expire() {
    const nowMs = this.#now();
    for (const [hash, { tokens, untilMs }] of this.#entries) {
      if (untilMs > nowMs) return;
      this.#entries.delete(hash);
      this.expired += 1;
      for (const token of tokens) {
        const holders = this.#byWord.get(token);
        holders?.delete(hash);
        if (holders?.size === 0) this.#byWord.delete(token);
      }
    }
  }
}
