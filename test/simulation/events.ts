/** What people and other tools do in one simulated world, and when: drawn from the seed, each act with a name of its own. */
import type { DecisionKind } from '#api/decision.ts';
import { AUTHOR, type Feature } from './features.ts';
import { type Random, streamOf } from './random.ts';

export type WorldEvent = { readonly id: string; readonly atMs: number } & Act;

export interface Vote {
  readonly decision: DecisionKind;
  readonly step: string | undefined;
  readonly by: string;
  readonly expiresInMs: number | undefined;
  /** About something else than what is rolled out. */
  readonly isForOther: boolean;
}

export type Act =
  | { readonly type: 'request'; readonly verb: string }
  | { readonly type: 'pause'; readonly paused: boolean }
  | { readonly type: 'brokenEdit' }
  | { readonly type: 'newRevision' }
  | { readonly type: 'otherWriter'; readonly weight: number }
  | { readonly type: 'clock'; readonly offMs: number }
  | { readonly type: 'second'; readonly forMs: number; readonly isDeaf: boolean }
  | ({ readonly type: 'decide' } & Vote)
  | { readonly type: 'delete' };

const SECOND_MS = 1_000;
const people: [string, ...string[]] = ['alice@example.com', 'bob@example.com', AUTHOR];

/** Ascending. */
export function drawEvents(
  seed: number,
  time: { readonly startMs: number; readonly endMs: number },
  features: ReadonlySet<Feature>,
  without: ReadonlySet<string>,
): readonly WorldEvent[] {
  const events = Object.entries(acts(features)).flatMap(([name, { perSecond, draw }]) => {
    const random = streamOf(seed, `act ${name}`);
    const found: WorldEvent[] = [];
    for (let atMs = time.startMs; atMs <= time.endMs; atMs += SECOND_MS) {
      if (!random.chance(perSecond)) continue;
      found.push({ id: `${name}:${found.length}`, atMs, ...draw(random) });
    }
    return found;
  });
  return events.filter(({ id }) => !without.has(id)).toSorted((a, b) => a.atMs - b.atMs);
}

function acts(
  features: ReadonlySet<Feature>,
): Record<string, { perSecond: number; draw: (random: Random) => Act }> {
  const isAsked = features.has('approval');
  return {
    request: {
      perSecond: 0.002,
      draw: (random) => ({ type: 'request', verb: random.pick(['pause', 'resume', 'promote']) }),
    },
    abort: { perSecond: 0.0002, draw: () => ({ type: 'request', verb: 'abort' }) },
    pause: {
      perSecond: 0.001,
      draw: (random) => ({ type: 'pause', paused: random.chance(0.5) }),
    },
    brokenEdit: { perSecond: 0.0007, draw: () => ({ type: 'brokenEdit' }) },
    newRevision: {
      perSecond: features.has('revisions') ? 0.003 : 0.0004,
      draw: () => ({ type: 'newRevision' }),
    },
    otherWriter: {
      perSecond: 0.002,
      draw: (random) => ({ type: 'otherWriter', weight: random.pick([0, 50, 100]) }),
    },
    clock: {
      perSecond: 0.002,
      draw: (random) => ({
        type: 'clock',
        offMs: random.pick([0, -3_000, 4_000, -45_000, 30_000]),
      }),
    },
    second: {
      perSecond: 0.002,
      draw: (random) => ({
        type: 'second',
        forMs: random.int(2_000, 30_000),
        isDeaf: random.chance(0.5),
      }),
    },
    vote: { perSecond: isAsked ? 0.03 : 0.001, draw: drawVote },
    decide: { perSecond: 0.003, draw: drawDecision },
    end: { perSecond: 0.0003, draw: (random) => ({ ...drawDecision(random), decision: 'Abort' }) },
    retry: { perSecond: 0.001, draw: (random) => ({ ...drawDecision(random), decision: 'Retry' }) },
    delete: { perSecond: 0.0001, draw: () => ({ type: 'delete' }) },
  };
}

function drawVote(random: Random): Act {
  return {
    type: 'decide',
    decision: random.pick<DecisionKind>(['Approve', 'Approve', 'Approve', 'Approve', 'Reject']),
    step: random.pick(['half', 'full', 'full', 'dark', 'nowhere']),
    by: random.pick(people),
    expiresInMs: random.pick([undefined, undefined, 5_000, 60_000, -10_000]),
    isForOther: random.chance(0.1),
  };
}

function drawDecision(random: Random): Extract<Act, { readonly type: 'decide' }> {
  const decision = random.pick<DecisionKind>([
    'Promote',
    'Pause',
    'Resume',
    'Extend',
    'Acknowledge',
  ]);
  return {
    type: 'decide',
    decision,
    step: decision === 'Acknowledge' ? random.pick(['errors', 'load', 'nothing']) : undefined,
    by: random.pick(people),
    expiresInMs: random.pick([undefined, undefined, 60_000, -10_000]),
    isForOther: random.chance(0.1),
  };
}
