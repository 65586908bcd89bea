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

/** The ControllerRevision that keeps the spec a run follows. */
export function specRecordName(rollout: string, runId: string, generation: number): string {
  return `${rollout}-${runId}-g${generation}`;
}
