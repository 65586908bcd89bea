/** Names that any process computes alike, so that a step done twice makes the same objects. */

/** 64-bit FNV-1a over the parts, as 16 hexadecimal digits: distinct for each start of a run, nothing secret. */
export function newRunId(
  uid: string,
  run: {
    readonly revision: string;
    readonly startedAtMs: number;
    /** The run before it: never the same again, whatever the clock does. */
    readonly after: string;
  },
): string {
  let hash = 0xcbf29ce484222325n;
  for (const char of `${uid}/${run.revision}/${run.startedAtMs}/${run.after}`) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(char.codePointAt(0) ?? 0)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, '0');
}

/**
 * The ControllerRevision that keeps the spec a run follows. The digest in it tells a new process that the spec as it
 * stands is that one, so that a thousand records need not be read before the first decision.
 */
export function specRecordName(
  rollout: string,
  runId: string,
  { generation, digest }: { readonly generation: number; readonly digest: string },
): string {
  return `${rollout}-${runId}-g${generation}-${digest}`;
}

/** Whether this is the record of a spec that says the same. */
export function isRecordOf(name: string, digest: string): boolean {
  return name.endsWith(`-${digest}`);
}

/** 16 hexadecimal digits: two lanes of 32 bits, FNV-1a and the multiplier of MurmurHash2. Nobody is kept from making two alike. */
export function digestOf(value: unknown): string {
  const text = JSON.stringify(value);
  let first = 0x811c9dc5;
  let second = 0x9747b28c;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    first = Math.imul(first ^ code, 0x01000193);
    second = Math.imul(second ^ code, 0x5bd1e995) ^ (second >>> 15);
  }
  return [first, second].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}
