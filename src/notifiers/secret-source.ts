/** Secrets of channels, from Secrets and files, read anew once a minute so that a rotated one is soon used. */
import type { Clock } from '#ports/clock.ts';
import { type ReadSecret, SecretProblem, type SecretReference } from '#ports/notifier.ts';

export interface SecretSourceOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Throws when the file cannot be read. */
  readonly readFile: (path: string) => string;
  /** All entries of a Secret; undefined when there is no such Secret. */
  readonly readEntries: (
    name: string,
    signal: AbortSignal,
  ) => Promise<Readonly<Record<string, string>> | undefined>;
  /** Where Secrets are looked for, as words. */
  readonly where: string;
}

const FRESH_MS = 60_000;

export function createSecretSource(options: SecretSourceOptions): ReadSecret {
  const known = new Map<string, { readonly value: string; readonly untilMs: number }>();
  return async (reference, signal) => {
    const id = JSON.stringify(reference);
    const nowMs = options.clock.monotonic();
    const fresh = known.get(id);
    if (fresh !== undefined && fresh.untilMs > nowMs) return fresh.value;
    const value = await read(reference, options, signal);
    known.set(id, { value, untilMs: nowMs + FRESH_MS });
    return value;
  };
}

async function read(
  reference: SecretReference,
  { readFile, readEntries, where }: SecretSourceOptions,
  signal: AbortSignal,
): Promise<string> {
  const place =
    reference.type === 'file'
      ? `file ${reference.path}`
      : `Secret ${reference.name} in ${where}, entry ${JSON.stringify(reference.key)}`;
  const text =
    reference.type === 'file'
      ? fileText(reference.path, readFile)
      : entryOf(await readEntries(reference.name, signal), reference.key);
  // An editor ends a file with a line; no secret does.
  const value = text?.trim();
  if (value === undefined) throw new SecretProblem(`${place} cannot be read or does not exist`);
  if (value === '') throw new SecretProblem(`${place} is empty`);
  return value;
}

function fileText(path: string, readFile: (path: string) => string): string | undefined {
  try {
    return readFile(path);
  } catch {
    return undefined;
  }
}

function entryOf(
  entries: Readonly<Record<string, string>> | undefined,
  key: string,
): string | undefined {
  return entries !== undefined && Object.hasOwn(entries, key) ? entries[key] : undefined;
}
