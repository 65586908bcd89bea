/** A channel in memory that keeps what it is sent, and does as it is told. */
import type { ChannelDefinition, Message, Notifier, SendOutcome } from '#ports/notifier.ts';

export type Behaviour = SendOutcome | 'hang';

export class FakeNotifier implements Notifier {
  readonly definition: ChannelDefinition;
  readonly tried: Message[] = [];
  readonly sent: Message[] = [];
  behaviour: Behaviour | ((message: Message) => Behaviour) = { type: 'sent', answer: 'ok' };

  constructor(name: string) {
    const secret = { type: 'file', path: 'none' } as const;
    const tls = { insecureSkipVerify: false };
    this.definition = { type: 'webhook', name, url: 'http://none.test', secret, tls };
  }

  async send(message: Message, signal: AbortSignal): Promise<SendOutcome> {
    this.tried.push(message);
    const { behaviour } = this;
    const said = typeof behaviour === 'function' ? behaviour(message) : behaviour;
    if (said === 'hang') {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    }
    // What was sent may have been sent although nobody lived to hear of it.
    if (said.type === 'sent') this.sent.push(message);
    return said;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
