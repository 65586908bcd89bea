/** Several judges watch one rollout: when does each of them first call canary bad? */
import { holds, parseCondition } from '#api/condition-text.ts';
import { blockAt, widened } from '#core/judge/blocks.ts';
import { weigh } from '#core/judge/evidence.ts';
import { judgeSettings } from '#core/judge/settings.ts';
import type { Random } from '#test/simulation/random.ts';
import { Arm, type LoadAt, TICK_MS } from './arms.ts';

const MINUTE = 60_000;

/** The trigger of the specification: over 0.5 % in five minutes, held for five minutes. */
export const literal = {
  condition: parseCondition('> 0.5%'),
  rangeMs: 5 * MINUTE,
  forMs: 5 * MINUTE,
} as const;

/** A sequential judge, and whether stable is there to compare with. */
export interface Contestant {
  readonly name: string;
  readonly logBar: number;
  readonly blockMs: number;
  /** When the weight was last changed, as it is at a time; undefined: not watched then. */
  readonly since: (atMs: number) => number | undefined;
  readonly hasStable: (atMs: number) => boolean;
}

export interface Rollout {
  readonly startMs: number;
  readonly endMs: number;
  readonly canary: LoadAt;
  readonly stable: LoadAt;
}

/** @returns when each judge fired first, by name; `literal` is the literal trigger */
export function watch(
  rollout: Rollout,
  contestants: readonly Contestant[],
  random: Random,
): ReadonlyMap<string, number> {
  const canary = new Arm(random);
  const stable = new Arm(random);
  const firedAt = new Map<string, number>();
  let trueSinceMs: number | undefined;
  for (let atMs = 0; atMs <= rollout.endMs; atMs += TICK_MS) {
    canary.serveUntil(atMs, rollout.canary);
    stable.serveUntil(atMs, rollout.stable);
    if (atMs < rollout.startMs) continue;
    const share = canary.share(atMs, literal.rangeMs);
    const isTrue = share !== undefined && holds(literal.condition, share);
    trueSinceMs = isTrue ? (trueSinceMs ?? atMs) : undefined;
    if (trueSinceMs !== undefined && atMs - trueSinceMs >= literal.forMs) note('literal', atMs);
    for (const one of contestants) {
      if (!firedAt.has(one.name) && isOver(one, atMs)) note(one.name, atMs);
    }
    if (firedAt.size > contestants.length) break;
  }
  return firedAt;

  function note(name: string, atMs: number): void {
    if (!firedAt.has(name)) firedAt.set(name, atMs);
  }

  /** As core/judge/sequential.ts asks for the counts. */
  function isOver({ since, hasStable, logBar, blockMs }: Contestant, atMs: number): boolean {
    const isCompared = hasStable(atMs);
    const lagMs = isCompared ? literal.rangeMs * judgeSettings.lagPerRange : 0;
    const sinceMs = since(atMs);
    const block = sinceMs === undefined ? undefined : blockAt(sinceMs, atMs - lagMs, blockMs);
    if (block === undefined) return false;
    const mine = canary.counted(block);
    const around = isCompared ? stable.counted(widened(block, lagMs)) : undefined;
    const other = around && { ...around, beside: stable.counted(block).total };
    return weigh(mine, other, { limit: literal.condition.threshold, logBar }).isOver;
  }
}
