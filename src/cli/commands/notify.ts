/** `kubectl genesis notify test CHANNEL`: sends a test message through a channel, as the operator would. */
import { createHash } from 'node:crypto';
import { configMapResource } from '#api/names.ts';
import {
  BadInput,
  type Command,
  type ExitCode,
  exitCodes,
  Failure,
  type FlagTable,
  type Terminal,
} from '#cli/command.ts';
import { readFlags } from '#cli/flags.ts';
import { kubeFlags, withClient } from '#cli/kube-flags.ts';
import { toNotifications } from '#config/channels.ts';
import { readSettingsFile } from '#config/file.ts';
import { channelProblem } from '#config/notifications.ts';
import { settingsSchema } from '#config/settings.ts';
import { type SecretReader, secretReader } from '#kube/secrets.ts';
import { createNotifier } from '#notifiers/index.ts';
import { createSecretSource } from '#notifiers/secret-source.ts';
import type { KubeObject } from '#ports/cluster.ts';
import { type ChannelDefinition, type Message, SecretProblem } from '#ports/notifier.ts';
import { withDeadline } from '#runtime/deadline.ts';

const flags = {
  ...kubeFlags,
  config: {
    type: 'string',
    operand: 'FILE',
    what: "the operator's configuration; without it that of the ConfigMap",
  },
  configmap: {
    type: 'string',
    operand: 'NAME',
    what: "the ConfigMap with the operator's configuration; default: genesis-rollout",
  },
} as const satisfies FlagTable;

/** As the chart writes it. */
const CONFIG_KEY = 'config.yaml';
const SEND_MAX_MS = 20_000;

export const notifyCommand: Command = {
  spec: {
    operands: 'test CHANNEL [flags]',
    about: [
      "The channel is one of the operator's configuration, and its secrets are read as the operator reads them: from Secrets in the operator's namespace, or from files as they are here.",
      'Nothing is repeated: what the server says is printed as it is.',
    ],
    flags,
    isOnline: true,
    examples: [
      [
        'kubectl genesis notify test slack-rollouts -n genesis-system',
        "a channel of the operator's ConfigMap",
      ],
      ['kubectl genesis notify test hook --config FILE', 'a channel of a file'],
    ],
    exits: ['asExpected', 'failed', 'badInput', 'notFound'],
  },
  run: notify,
};

async function notify(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { values, positionals } = readFlags(args, flags);
  const [verb, name, ...more] = positionals;
  if (verb !== 'test' || name === undefined || more.length > 0) {
    throw new BadInput(['notify takes a verb and a channel: kubectl genesis notify test CHANNEL']);
  }
  if (values.config !== undefined) {
    const channel = channelOf(values.config, terminal.readText, name);
    const entries = (secret: string, signal: AbortSignal) =>
      withClient(values, terminal, (client) =>
        secretReader(client, client.namespace, signal)(secret),
      );
    return await send(channel, entries, terminal);
  }
  return await withClient(values, terminal, async (client) => {
    const { namespace } = client;
    const found = values.configmap ?? 'genesis-rollout';
    const key = { namespace, name: found };
    const object = await client.get(configMapResource, key, terminal.interrupted);
    const text = configIn(object);
    if (text === undefined) {
      const where = `ConfigMap ${found} with an entry ${CONFIG_KEY}`;
      throw new Failure('notFound', [
        `there is no ${where} in namespace ${namespace}; name the operator's namespace with -n, its ConfigMap with --configmap, or a file with --config`,
      ]);
    }
    const channel = channelOf(`ConfigMap ${found}`, () => text, name);
    return await send(
      channel,
      (secret, signal) => secretReader(client, namespace, signal)(secret),
      terminal,
    );
  });
}

/** As it stands there: `fields.ts` would make one line of it. */
function configIn(object: KubeObject | undefined): string | undefined {
  const data = object?.['data'];
  const text: unknown =
    typeof data === 'object' && data !== null ? Reflect.get(data, CONFIG_KEY) : undefined;
  return typeof text === 'string' ? text : undefined;
}

function channelOf(
  source: string,
  readText: (path: string) => string,
  name: string,
): ChannelDefinition {
  const { values, problems } = readSettingsFile(source, readText);
  if (problems.length > 0) throw new BadInput(problems);
  const { channels } = toNotifications(settingsSchema.parse(values).notifications);
  const channel = channels.find((one) => one.name === name);
  if (channel !== undefined) return channel;
  const known = channels.map((one) => one.name);
  throw new BadInput([`${JSON.stringify(name)} ${channelProblem(name, known) ?? ''}`]);
}

async function send(
  channel: ChannelDefinition,
  readEntries: (name: string, signal: AbortSignal) => ReturnType<SecretReader>,
  { clock, readText, out, interrupted }: Terminal,
): Promise<ExitCode> {
  const readSecret = createSecretSource({
    clock,
    readFile: readText,
    readEntries,
    where: "the operator's namespace",
  });
  const notifier = createNotifier(channel, { readSecret, clock });
  const what = `${channel.name} (${channel.type})`;
  try {
    const outcome = await withDeadline(clock, SEND_MAX_MS, [interrupted], (signal) =>
      notifier.send(testMessage(clock.now()), signal),
    );
    if (outcome.type === 'sent') {
      out(`${what}: sent; the server said: ${outcome.answer}\n`);
      return exitCodes.asExpected;
    }
    const again = outcome.type === 'later' ? 'the operator would try again' : 'refused for good';
    throw new Failure('failed', [`${what}: not sent (${again}): ${outcome.message}`]);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const words = error instanceof Error ? error.message : String(error);
    const problem = error instanceof SecretProblem ? words : `not sent: ${words}`;
    throw new Failure('failed', [`${what}: ${problem}`], { cause: error });
  } finally {
    await notifier.close();
  }
}

/** No incident: nobody is called, and nothing has to be closed. */
function testMessage(nowMs: number): Message {
  const at = new Date(nowMs).toISOString();
  return {
    id: createHash('sha256').update(`test/${at}`).digest('hex').slice(0, 32),
    kind: 'LookDue',
    severity: 'Info',
    at,
    namespace: 'none',
    rollout: 'test',
    revision: 'test',
    runId: 'test',
    subject: '',
    title: 'Genesis Rollout: test of this channel',
    text: 'This is a test message by kubectl genesis notify test. Nothing has to be done.',
    details: [{ label: 'Sent', value: at }],
  };
}
