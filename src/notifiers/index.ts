/** From the definition of a channel to what sends through it. */
import { assertNever } from '#core/assert.ts';
import type { Clock } from '#ports/clock.ts';
import {
  type ChannelDefinition,
  type Notifier,
  type ReadSecret,
  SecretProblem,
  type SendOutcome,
} from '#ports/notifier.ts';
import { createAlertmanager } from './alertmanager.ts';
import { createEmail } from './email.ts';
import { failureText, withoutSecrets } from './failure.ts';
import { createPagerDuty } from './pager-duty.ts';
import { createSlack } from './slack.ts';
import { createWebhook } from './webhook.ts';

export interface NotifierParts {
  readonly readSecret: ReadSecret;
  readonly clock: Pick<Clock, 'now'>;
}

/** What fails is an outcome, and no outcome shows a secret that was read for it. */
export function createNotifier(
  definition: ChannelDefinition,
  { readSecret, clock }: NotifierParts,
): Notifier {
  const seen = new Set<string>();
  const remembering: ReadSecret = async (reference, signal) => {
    const secret = await readSecret(reference, signal);
    seen.add(secret);
    return secret;
  };
  const notifier = byType(definition, remembering, clock);
  const clean = (outcome: SendOutcome): SendOutcome =>
    outcome.type === 'sent'
      ? { ...outcome, answer: withoutSecrets(outcome.answer, seen) }
      : { ...outcome, message: withoutSecrets(outcome.message, seen) };
  return {
    definition,
    close: () => notifier.close(),
    async send(message, signal) {
      seen.clear();
      try {
        return clean(await notifier.send(message, signal));
      } catch (error) {
        signal.throwIfAborted();
        const words = error instanceof SecretProblem ? error.message : failureText(error);
        return clean({ type: 'later', message: words });
      }
    },
  };
}

function byType(
  definition: ChannelDefinition,
  readSecret: ReadSecret,
  clock: Pick<Clock, 'now'>,
): Notifier {
  switch (definition.type) {
    case 'slack':
      return createSlack(definition, readSecret);
    case 'pagerDuty':
      return createPagerDuty(definition, readSecret);
    case 'email':
      return createEmail(definition, readSecret);
    case 'alertmanager':
      return createAlertmanager(definition, readSecret, clock);
    case 'webhook':
      return createWebhook(definition, readSecret, clock);
    default:
      return assertNever(definition);
  }
}
