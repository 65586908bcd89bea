/** An outbox in virtual time: channels in memory, a store that outlives it, and looks as the controller gives them. */
import { createHash } from 'node:crypto';
import type { RolloutStatus } from '#api/status.ts';
import type { NoticePolicy, Subscription } from '#core/notices/policy.ts';
import type { RunSpec } from '#core/run-spec.ts';
import type { TriggerOutcome } from '#core/trigger.ts';
import { ChannelQueue } from '#notifiers/channel-queue.ts';
import { Outbox } from '#notifiers/outbox.ts';
import type { KubeObject } from '#ports/cluster.ts';
import { silentLogger } from '#ports/logger.ts';
import type { KeptNotices, NoticeObserver, NoticeStore } from '#ports/notifier.ts';
import { MINUTE, runSpec } from '#test/builders.ts';
import { VirtualClock } from '#test/kube/virtual-clock.ts';
import { FakeNotifier } from './fake-notifier.ts';

export const rollout: KubeObject = {
  apiVersion: 'genesis.dev/v1alpha1',
  kind: 'GenesisRollout',
  metadata: { namespace: 'shop', name: 'checkout', uid: 'u-1' },
};

/** Everything as text, as the API server would give it back. */
export class MemoryStore implements NoticeStore {
  text: string | undefined;
  writes = 0;
  /** Fails, or never answers. */
  trouble: 'none' | 'fails' | 'hangs' = 'none';

  async load(_rollout: KubeObject, signal: AbortSignal): Promise<KeptNotices | undefined> {
    await this.#answer(signal);
    return this.text === undefined ? undefined : JSON.parse(this.text);
  }

  async save(_rollout: KubeObject, kept: KeptNotices, signal: AbortSignal): Promise<void> {
    await this.#answer(signal);
    this.writes += 1;
    this.text = JSON.stringify(kept);
  }

  #answer(signal: AbortSignal): Promise<void> {
    if (this.trouble === 'fails') return Promise.reject(new Error('the store has failed'));
    if (this.trouble === 'none') return Promise.resolve();
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }
}

export interface WorldOptions {
  readonly channels?: readonly string[];
  readonly incidentChannels?: readonly string[];
  readonly forgetful?: readonly string[];
  readonly notify?: readonly Subscription[];
  readonly routing?: Partial<NoticePolicy['routing']>;
  readonly schedule?: NoticePolicy['schedule'];
  readonly run?: RunSpec;
}

export const twoDays: NoticePolicy['schedule'] = [
  {
    untilMs: 24 * 60 * MINUTE,
    lookEveryMs: 30 * MINUTE,
    digestEveryMs: 60 * MINUTE,
    answerWithinMs: { Critical: 5 * MINUTE, Warning: 30 * MINUTE },
  },
  {
    untilMs: 48 * 60 * MINUTE,
    lookEveryMs: 120 * MINUTE,
    digestEveryMs: 120 * MINUTE,
    answerWithinMs: { Critical: 15 * MINUTE, Warning: 60 * MINUTE },
  },
];

export class OutboxWorld {
  readonly clock = new VirtualClock();
  readonly store = new MemoryStore();
  readonly notifiers: ReadonlyMap<string, FakeNotifier>;
  readonly policy: NoticePolicy;
  readonly run: RunSpec;
  readonly lost: string[] = [];
  isLeader = true;
  report: { readonly markdown: string; readonly isFinal: boolean } | undefined = {
    markdown: '# Report',
    isFinal: true,
  };
  #options: WorldOptions;
  #outbox: Outbox;
  #stop: AbortController;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    const channels = options.channels ?? ['chat'];
    this.notifiers = new Map(channels.map((name) => [name, new FakeNotifier(name)]));
    const everything: Subscription[] = channels.map((channel) => ({ channel }));
    this.run = { ...(options.run ?? runSpec()), notify: options.notify ?? everything };
    this.policy = {
      channels: new Set(channels),
      incidentChannels: new Set(options.incidentChannels),
      routing: { default: [], responders: {}, releaseOwner: [], ...options.routing },
      schedule: options.schedule ?? [],
    };
    this.#stop = new AbortController();
    this.#outbox = this.#open();
  }

  get outbox(): Outbox {
    return this.#outbox;
  }

  channel(name = 'chat'): FakeNotifier {
    const found = this.notifiers.get(name);
    if (found === undefined) throw new Error(`no channel ${name}`);
    return found;
  }

  /** `Kind subject` of everything a channel was sent. */
  told(name = 'chat'): string[] {
    return this.channel(name).sent.map(({ kind, subject }) => `${kind} ${subject}`.trim());
  }

  /** Without waiting: what a look does. */
  look(status: RolloutStatus, triggers: readonly TriggerOutcome[] = []): void {
    this.#outbox.looked({ rollout, status, run: this.run, triggers });
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  /** The process dies, and another begins with nothing but what is kept. */
  crash(): void {
    this.#stop.abort(new Error('killed'));
    this.#stop = new AbortController();
    this.#outbox = this.#open();
  }

  #open(): Outbox {
    const { clock, notifiers, policy, store } = this;
    const stop = this.#stop;
    const observer: NoticeObserver = {
      sent: () => undefined,
      failed: () => undefined,
      lost: (channel, why) => this.lost.push(`${channel} ${why}`),
      waiting: () => undefined,
    };
    const queues = [...notifiers].map(([name, notifier]) => {
      const maySend = () => this.isLeader;
      const common = { clock, logger: silentLogger, observer, maySend, random: () => 0.5 };
      return [name, new ChannelQueue({ ...common, notifier, stop: stop.signal })] as const;
    });
    return new Outbox({
      policy,
      queues: new Map(queues),
      forgetful: new Set(this.#options.forgetful),
      store,
      readReport: async () => this.report,
      clock,
      logger: silentLogger,
      hash: (text) => createHash('sha256').update(text).digest('hex').slice(0, 32),
      stop,
    });
  }
}
