/**
 * A webhook: CloudEvents 1.0, structured JSON, signed. The signature is `sha256=` and the HMAC-SHA256, in hex, of the
 * timestamp, a full stop and the body, so that a request can neither be changed nor be sent again much later.
 */
import { createHmac } from 'node:crypto';
import { apiVersion } from '#api/names.ts';
import type { Clock } from '#ports/clock.ts';
import type { ChannelDefinition, Message, Notifier, ReadSecret } from '#ports/notifier.ts';
import { createHttp, outcomeOf } from './http.ts';

type WebhookChannel = Extract<ChannelDefinition, { type: 'webhook' }>;

const timestampHeader = 'x-genesis-timestamp';
const signatureHeader = 'x-genesis-signature';

export function createWebhook(
  definition: WebhookChannel,
  readSecret: ReadSecret,
  clock: Pick<Clock, 'now'>,
): Notifier {
  const http = createHttp(definition, readSecret);
  return {
    definition,
    close: () => http.close(),
    async send(message, signal) {
      const secret = await readSecret(definition.secret, signal);
      const body = JSON.stringify(cloudEvent(message));
      const timestamp = String(Math.floor(clock.now() / 1_000));
      const headers = {
        'content-type': 'application/cloudevents+json; charset=utf-8',
        [timestampHeader]: timestamp,
        [signatureHeader]: `sha256=${signature(secret, timestamp, body)}`,
      };
      return outcomeOf(await http.post({ url: definition.url, headers, body }, signal));
    },
  };
}

function signature(secret: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}

/** `id` is the same for every repetition of a message: who has seen it can drop it. */
function cloudEvent(message: Message): object {
  const { id, kind, at, namespace, rollout, subject } = message;
  return {
    specversion: '1.0',
    id,
    source: `/apis/${apiVersion}/namespaces/${namespace}/genesisrollouts/${rollout}`,
    type: `dev.genesis.rollout.${kind.toLowerCase()}.v1`,
    ...(subject === '' ? {} : { subject }),
    time: at,
    datacontenttype: 'application/json',
    data: message,
  };
}
