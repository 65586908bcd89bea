/** A person asked for something, by a GenesisDecision or by annotation: one is answered at a time, aborts first. */
import type { Because, EventDraft } from '#core/decision.ts';
import { abort } from '#core/people/abort.ts';
import { follow } from '#core/people/effects.ts';
import { hasRoom, recordAnswer, type WishOutcome } from '#core/people/ledger.ts';
import { obstacleTo } from '#core/people/obstacles.ts';
import { isExpired, nextWish, type Wish } from '#core/people/wish.ts';
import { isWatched, type RunView } from '#core/view.ts';
import { phaseOf, type Rule, type Verdict } from './rule.ts';

export const asked: Rule = {
  name: 'asked',
  when: 'a person decides or requests something',
  apply({ snapshot, view }) {
    if (view === undefined) return undefined;
    const next = nextWish(snapshot, view.status);
    if (next === undefined) return undefined;
    if (next.type === 'wish') return answer(view, next.wish);
    const status = { ...view.status, lastRequestToken: next.token };
    return { ...stayAsItIs(view), status, events: [refusalEvent('RequestRefused', next.message)] };
  },
};

function answer(view: RunView, wish: Wish): Verdict | undefined {
  const { source } = wish;
  if (wish.kind !== 'Abort' && !hasRoom(view.snapshot, view.status)) return undefined;
  if (source.type === 'decision' && isExpired(source.observation, view.now)) {
    const message = `${wish.named} came too late: it was to be applied before ${source.observation.spec.expiresAt}`;
    return settle(view, wish, 'Expired', message);
  }
  const obstacle = obstacleTo(view, wish);
  if (obstacle !== undefined) {
    return settle(view, wish, 'Refused', `${wish.named} is refused: ${obstacle}`);
  }
  // It starts a new run of an ended one: that is for the rule that starts runs.
  if (wish.kind === 'Retry' && !isWatched(view.status)) return undefined;
  if (wish.kind === 'Abort' && isWatched(view.status)) return abort(view, wish);
  return settle(view, wish, 'Applied', `${wish.named} is applied`);
}

function settle(view: RunView, wish: Wish, outcome: WishOutcome, message: string): Verdict {
  const followed = outcome === 'Applied' ? follow(view, view.status, wish) : view.status;
  return {
    ...stayAsItIs(view),
    status: recordAnswer(view.snapshot, followed, { wish, outcome, message }),
    events: [eventOf(wish, outcome, message)],
  };
}

function eventOf({ source, named }: Wish, outcome: WishOutcome, message: string): EventDraft {
  const isRequest = source.type === 'request';
  if (outcome === 'Expired') return refusalEvent('DecisionExpired', message);
  if (outcome === 'Refused') {
    return refusalEvent(isRequest ? 'RequestRefused' : 'DecisionRefused', message);
  }
  const reason = isRequest ? 'RequestApplied' : 'DecisionApplied';
  return { type: 'Normal', reason, action: 'Decide', note: named };
}

function refusalEvent(reason: string, note: string): EventDraft {
  return { type: 'Warning', reason, action: 'Decide', note };
}

/** Nothing about the run changes by this decision; the next look, at once, decides on. */
function stayAsItIs(view: RunView): Omit<Verdict, 'events'> {
  return {
    because: seen(view),
    phase: phaseOf(view.status),
    status: view.status,
    holds: view.status.holds ?? [],
    wakeAtMs: view.now,
    leavesTraffic: true,
  };
}

function seen({ status, snapshot }: RunView): Because {
  const isRequest = snapshot.object.request !== undefined;
  const reason = isRequest ? 'RequestSeen' : 'DecisionSeen';
  return { reason, message: status.message ?? 'a person has decided something' };
}
