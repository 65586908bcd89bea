/**
 * What really happens to the canary and to everything around it in one simulated world: stretches of time, drawn
 * from the seed. The simulated Prometheus answers from it, and the checkers know it.
 */
import type { Feature } from './features.ts';
import { type Random, streamOf } from './random.ts';

export interface Stretch {
  /** By which it can be left out. */
  readonly id: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export type Unreachable = 'refused' | 'timeout' | 'partial' | 'nan' | 'empty';
export type ChainTruth = 'panel' | 'receiver' | 'grafana' | 'label' | 'hang';
export type SuiteTruth = 'failing' | 'flaky' | 'hanging' | 'broken';

export interface Truth {
  /** Canary fails more often than it may. */
  readonly breaches: readonly Stretch[];
  /** Stable does too. */
  readonly stableBreaches: readonly Stretch[];
  /** Nothing is scraped: Prometheus has no samples of this time, ever. */
  readonly unscraped: readonly Stretch[];
  /** Canary alone is not scraped: its exporter is broken while stable's is not. */
  readonly canaryUnscraped: readonly Stretch[];
  /** Prometheus does not answer, or answers with something else than data. */
  readonly unreachable: readonly (Stretch & { readonly how: Unreachable })[];
  readonly apiDown: readonly Stretch[];
  readonly stableDown: readonly Stretch[];
  readonly canaryDown: readonly Stretch[];
  /** A load over what is usual, which grows or falls. */
  readonly load: readonly (Stretch & { readonly from: number; readonly perSecond: number })[];
  /** A critical alert fires. */
  readonly alerts: readonly Stretch[];
  readonly probeDown: readonly Stretch[];
  readonly stableProbeDown: readonly Stretch[];
  readonly suite: readonly (Stretch & { readonly how: SuiteTruth })[];
  /** Nobody holds `by` of a decision to its creator. */
  readonly policyMissing: readonly Stretch[];
  /** A link of the metric chain is broken, or its check hangs. */
  readonly chain: readonly (Stretch & { readonly how: ChainTruth })[];
  /** ConfigMaps cannot be written. */
  readonly evidenceDown: readonly Stretch[];
  /** Other rollouts have so much to write that no turn comes. */
  readonly crowded: readonly Stretch[];
}

export function within(stretches: readonly Stretch[], atMs: number): boolean {
  return stretches.some((one) => atMs >= one.fromMs && atMs < one.toMs);
}

/** Nobody has a sample of canary. */
export function isCanaryUnscraped({ unscraped, canaryUnscraped }: Truth, atMs: number): boolean {
  return within(unscraped, atMs) || within(canaryUnscraped, atMs);
}

/** @param endMs after this nothing goes wrong any more, so that every run can end */
export function drawTruth(
  seed: number,
  time: { readonly startMs: number; readonly endMs: number },
  features: ReadonlySet<Feature>,
  without: ReadonlySet<string>,
): Truth {
  /** @param isHere whether the world has what this happens to */
  const draw = <T extends object>(
    what: keyof Truth,
    [countMax, shortest, longest]: readonly [number, number, number],
    also: (random: Random) => T,
    isHere = true,
  ): (Stretch & T)[] => {
    const random = streamOf(seed, what);
    return Array.from({ length: random.int(0, countMax) }, (_, index) => {
      const fromMs = random.int(time.startMs, time.endMs);
      const toMs = Math.min(fromMs + random.int(shortest, longest), time.endMs);
      return { id: `${what}:${index}`, fromMs, toMs, ...also(random) };
    }).filter(({ id }) => isHere && !without.has(id));
  };
  const plain = () => ({});
  const chance = (what: string, probability: number) =>
    streamOf(seed, `${what}?`).chance(probability);
  const hows = ['refused', 'timeout', 'partial', 'nan', 'empty'] as const;
  const suites = ['failing', 'failing', 'flaky', 'hanging', 'broken'] as const;
  const chains = ['panel', 'receiver', 'grafana', 'label', 'hang'] as const;
  return {
    breaches: draw('breaches', [4, 5_000, 90_000], plain, chance('breaches', 0.6)),
    stableBreaches: draw('stableBreaches', [3, 20_000, 120_000], plain, features.has('shared')),
    unscraped: draw('unscraped', [3, 5_000, 45_000], plain),
    canaryUnscraped: draw(
      'canaryUnscraped',
      [2, 5_000, 60_000],
      plain,
      chance('canaryUnscraped', 0.3),
    ),
    unreachable: draw('unreachable', [3, 1_000, 120_000], (random) => ({
      how: random.pick(hows),
    })),
    apiDown: draw('apiDown', [2, 500, 40_000], plain),
    stableDown: draw('stableDown', [1, 5_000, 40_000], plain, chance('stableDown', 0.2)),
    canaryDown: draw('canaryDown', [2, 5_000, 60_000], plain, chance('canaryDown', 0.3)),
    load: draw(
      'load',
      [4, 20_000, 150_000],
      (random) => ({
        from: random.pick([8, 12, 20]),
        perSecond: random.pick([-0.1, 0, 0.05, 0.2]),
      }),
      features.has('warning'),
    ),
    alerts: draw(
      'alerts',
      [2, 5_000, 60_000],
      plain,
      (features.has('alerts') || features.has('success')) && chance('alerts', 0.5),
    ),
    probeDown: draw(
      'probeDown',
      [3, 5_000, 60_000],
      plain,
      features.has('probe') && chance('probeDown', 0.6),
    ),
    stableProbeDown: draw('stableProbeDown', [2, 5_000, 60_000], plain, features.has('stages')),
    suite: draw(
      'suite',
      [4, 10_000, 90_000],
      (random) => ({ how: random.pick(suites) }),
      features.has('suite'),
    ),
    chain: draw(
      'chain',
      [4, 5_000, 150_000],
      (random) => ({ how: random.pick(chains) }),
      features.has('chain'),
    ),
    policyMissing: draw('policyMissing', [2, 10_000, 60_000], plain, features.has('approval')),
    evidenceDown: draw('evidenceDown', [2, 10_000, 90_000], plain, features.has('evidence')),
    crowded: draw('crowded', [2, 30_000, 300_000], plain, chance('crowded', 0.3)),
  };
}
