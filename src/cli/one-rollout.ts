/** What commands about one rollout share: its name on the command line, and asking again until something is so. */
import type { Clock } from '#ports/clock.ts';
import { BadInput } from './command.ts';
import { rolloutName } from './find-rollout.ts';

/** The one NAME; a second word is a mistake. */
export function onlyName(positionals: readonly string[], command: string): string {
  const [name, ...others] = positionals;
  if (name === undefined) throw needsName(command);
  if (others.length > 0) {
    throw new BadInput([`${command} takes one NAME; what is ${JSON.stringify(others[0])}?`]);
  }
  return rolloutName(name);
}

export function needsName(command: string): BadInput {
  return new BadInput([
    `${command} needs the NAME of a rollout; \`kubectl genesis get\` lists them`,
  ]);
}

interface Polling {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Infinity is no limit. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/** Asks at once and then again and again; undefined when the limit is over before there is an answer. */
export async function poll<T>(
  { clock, everyMs, limitMs, signal }: Polling,
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const startMs = clock.monotonic();
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    const leftMs = startMs + limitMs - clock.monotonic();
    if (leftMs <= 0) return undefined;
    await clock.sleep(Math.min(everyMs, leftMs), signal);
  }
}
