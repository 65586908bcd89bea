/** Which channels a fact goes to: those who have asked for it, and those who are called. */
import type { RunSpec } from '#core/run-spec.ts';
import type { Fact } from './fact.ts';
import { type NoticePolicy, type Subscription, wants } from './policy.ts';

export function recipients(
  fact: Pick<Fact, 'kind' | 'severity' | 'calls' | 'responder'>,
  run: RunSpec | undefined,
  policy: NoticePolicy,
): string[] {
  const asked = subscriptions(run, policy)
    .filter((one) => wants(one, fact.kind, fact.severity))
    .map(({ channel }) => channel);
  return [...new Set([...asked, ...called(fact, policy)])].filter((name) =>
    policy.channels.has(name),
  );
}

/** A rollout that says nothing of it has the operator's default. */
export function subscriptions(
  run: RunSpec | undefined,
  { routing }: NoticePolicy,
): readonly Subscription[] {
  return run === undefined || run.notify.length === 0 ? routing.default : run.notify;
}

function called(
  { calls, responder, severity }: Pick<Fact, 'severity' | 'calls' | 'responder'>,
  { routing }: NoticePolicy,
): readonly string[] {
  if (calls === undefined) return [];
  if (calls === 'releaseOwner') return routing.releaseOwner;
  if (responder === undefined) return [];
  // Somebody is named whom the configuration does not know: better the release owner than nobody.
  const known = Object.hasOwn(routing.responders, responder)
    ? routing.responders[responder]
    : undefined;
  return known ?? (severity === 'Info' ? [] : routing.releaseOwner);
}
