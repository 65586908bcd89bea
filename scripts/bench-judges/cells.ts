/** The cells of the tables: who watches, and what is done to the rollout. Each is repeated with seeds of its own. */
import { plannedBlocks } from '#core/judge/blocks.ts';
import { logBarOf } from '#core/judge/evidence.ts';
import { judgeSettings } from '#core/judge/settings.ts';
import { type Random, randomOf } from '#test/simulation/random.ts';
import type { Load } from './arms.ts';
import { type Contestant, type Rollout, watch } from './watch.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LENGTH = 48 * HOUR;
const HALF_AT = 6 * HOUR;
const FULL_AT = 30 * HOUR;

const { alpha, blockMs } = judgeSettings;
/** As the operator has it for a plan of 48 hours: an hour's α is α/48. */
const logBar = logBarOf(alpha, plannedBlocks([0, HALF_AT, FULL_AT], LENGTH, blockMs));

const always = () => true;
const never = () => false;
const fromStart = () => 0;

const relative: Contestant = {
  name: 'relative',
  logBar,
  blockMs,
  since: fromStart,
  hasStable: always,
};
const absolute: Contestant = { ...relative, name: 'absolute', hasStable: never };
/** The default plan: nothing to see at 0 %, stable beside canary at 50 %, canary alone at 100 %. */
const planned: Contestant = {
  ...relative,
  name: 'planned',
  since: (atMs) => (atMs < HALF_AT ? undefined : atMs < FULL_AT ? HALF_AT : FULL_AT),
  hasStable: (atMs) => atMs < FULL_AT,
};
/** One block as long as the rollout: what restarts are there to do better than. */
const unbroken: Contestant = {
  ...relative,
  name: 'unbroken',
  logBar: logBarOf(alpha, 1),
  blockMs: LENGTH,
};

const steady = (perSecond: number, bad: number) => (): Load => ({ perSecond, bad });

/** Share of replications in which each judge fired. */
export interface Falses {
  readonly bad: number;
  readonly perSecond: number;
  readonly replications: number;
  readonly fired: Readonly<Record<string, number>>;
}

/** A healthy canary, 48 hours. */
export function falseRollbacks(bad: number, perSecond: number, replications: number): Falses {
  const load = steady(perSecond, bad);
  const rollout: Rollout = { startMs: HOUR, endMs: LENGTH, canary: load, stable: load };
  const judges = [relative, absolute, planned];
  const seed = seedOf('false', bad, perSecond);
  const fired = counted(judges, replications, seed, () => rollout);
  return { bad, perSecond, replications, fired };
}

/** A canary that is as much worse as is tolerated: here the promise is put to the test, since chance alone decides. */
export function atTheBorder(perSecond: number, replications: number): Falses {
  const bad = 0.001;
  const rollout: Rollout = {
    startMs: HOUR,
    endMs: LENGTH,
    canary: steady(perSecond, bad * judgeSettings.toleratedFactor),
    stable: steady(perSecond, bad),
  };
  const seed = seedOf('border', bad, perSecond);
  const fired = counted([relative], replications, seed, () => rollout);
  return { bad, perSecond, replications, fired };
}

/** 5 % bad on both arms for ten minutes, at any time of a day that is healthy otherwise. */
export function commonCause(perSecond: number, replications: number): Falses {
  const bad = 0.05;
  const judges = [relative, absolute];
  const seed = seedOf('common', bad, perSecond);
  const fired = counted(judges, replications, seed, (random) => {
    const fromMs = 2 * HOUR + random.next() * 2 * HOUR;
    const load = (atMs: number): Load => {
      const isIncident = atMs >= fromMs && atMs < fromMs + 10 * MINUTE;
      return { perSecond, bad: isIncident ? bad : 0.001 };
    };
    return { startMs: HOUR, endMs: 6 * HOUR, canary: load, stable: load };
  });
  return { bad, perSecond, replications, fired };
}

function counted(
  judges: readonly Contestant[],
  replications: number,
  seed: number,
  rolloutOf: (random: Random) => Rollout,
): Readonly<Record<string, number>> {
  const fired: Record<string, number> = { literal: 0 };
  for (const { name } of judges) fired[name] = 0;
  for (let index = 0; index < replications; index += 1) {
    const random = randomOf(seed + index);
    for (const name of watch(rolloutOf(random), judges, random).keys()) {
      fired[name] = (fired[name] ?? 0) + 1;
    }
  }
  return Object.fromEntries(
    Object.entries(fired).map(([name, count]) => [name, count / replications]),
  );
}

/** How long it took from the onset, in minutes; `missed` within six hours, `early` before it. */
export interface Delay {
  readonly median: number | undefined;
  readonly p90: number | undefined;
  readonly missed: number;
  readonly early: number;
}

export interface Detection {
  readonly bad: number;
  readonly perSecond: number;
  readonly replications: number;
  readonly delays: Readonly<Record<string, Delay>>;
}

const PATIENCE = 6 * HOUR;

/** Stable has 0.1 % bad. The canary is bad from the step on, from T+24h on, or from anywhere in the hour after that. */
export function detection(
  onset: 'step' | 'late' | 'anywhere',
  { bad, perSecond }: { readonly bad: number; readonly perSecond: number },
  replications: number,
): Detection {
  const judges = onset === 'step' ? [relative, absolute, unbroken] : [relative, unbroken];
  const delays = new Map<string, number[]>(
    ['literal', ...judges.map(({ name }) => name)].map((name) => [name, []]),
  );
  const seed = seedOf(onset, bad, perSecond);
  for (let index = 0; index < replications; index += 1) {
    const random = randomOf(seed + index);
    const inHourMs = onset === 'anywhere' ? Math.floor(random.next() * HOUR) : 0;
    const onsetMs = onset === 'step' ? 0 : 24 * HOUR + inHourMs;
    const rollout: Rollout = {
      startMs: 0,
      endMs: onsetMs + PATIENCE,
      // Nobody asks canary anything before its step.
      canary: (atMs) => ({
        perSecond: atMs < 0 ? 0 : perSecond,
        bad: atMs < onsetMs ? 0.001 : bad,
      }),
      stable: steady(perSecond, 0.001),
    };
    const fired = watch(rollout, judges, random);
    for (const [name, list] of delays) {
      list.push(((fired.get(name) ?? Number.POSITIVE_INFINITY) - onsetMs) / MINUTE);
    }
  }
  const summary = [...delays].map(([name, list]) => [name, summed(list)] as const);
  return { bad, perSecond, replications, delays: Object.fromEntries(summary) };
}

function summed(minutes: readonly number[]): Delay {
  const counted = minutes.filter((one) => one >= 0).sort((a, b) => a - b);
  const at = (part: number) => {
    const found = counted[Math.min(counted.length - 1, Math.floor(part * counted.length))];
    return found !== undefined && Number.isFinite(found) ? found : undefined;
  };
  const all = minutes.length;
  return {
    median: at(0.5),
    p90: at(0.9),
    missed: minutes.filter((one) => one === Number.POSITIVE_INFINITY).length / all,
    early: minutes.filter((one) => one < 0).length / all,
  };
}

/** Every cell has worlds of its own, the same at every run. */
function seedOf(...parts: readonly (string | number)[]): number {
  let seed = 2166136261;
  for (const char of parts.join(' ')) seed = Math.imul(seed ^ char.charCodeAt(0), 16777619);
  return seed >>> 0;
}
