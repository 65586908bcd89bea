/** What the counts of one block say: which of the two tests applies, and how strong the evidence is. */
import type { SequentialJudge } from '#core/run-spec.ts';
import { type ArmCounts, absoluteLogE, relativeLogE } from './e-value.ts';

export interface Evidence {
  /** `relative` to stable; `absolute` where there is no control, as at weight 100. */
  readonly test: 'relative' | 'absolute';
  /** ln e. */
  readonly logE: number;
  readonly isOver: boolean;
  readonly canary: ArmCounts;
  readonly stable: Control | undefined;
}

/**
 * Stable, over a time that holds canary's and is a little longer at both ends, so that no moment at which canary was
 * scraped is missing from it; see `lagPerRange`.
 */
export interface Control extends ArmCounts {
  /** Its requests in canary's own time, by which the traffic is split. */
  readonly beside: number;
}

/** What evidence is held to. */
export type Bar = Pick<SequentialJudge, 'limit' | 'logBar'>;

/** ln(blocks/α): what e has to reach, with the chance of an error split over so many blocks. */
export function logBarOf(alpha: number, blocks: number): number {
  return Math.log(blocks / alpha);
}

/** @param stable undefined where there is no control; without a request of its own yet it is, and says nothing */
export function weigh(canary: ArmCounts, stable: Control | undefined, bar: Bar): Evidence {
  const logE =
    stable === undefined
      ? absoluteLogE(canary, bar.limit)
      : relativeLogE(canary, { bad: stable.bad, total: stable.beside });
  return {
    test: stable === undefined ? 'absolute' : 'relative',
    logE,
    isOver: logE >= bar.logBar,
    canary,
    stable,
  };
}
