/**
 * From flags, a file and the environment to one configuration. The only reader of the environment; every bad
 * value becomes a sentence that names the flag or field, the value and what is allowed.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ManifestSettings } from '#dashboards/source.ts';
import type { KubeSource } from '#kube/credentials.ts';
import type { ListenAddress } from '#server/server.ts';
import type { LogLevel } from '#telemetry/log.ts';
import { type Notifications, toNotifications } from './config/channels.ts';
import { readSettingsFile } from './config/file.ts';
import { type FlagValue, parseFlags } from './config/flags.ts';
import { sentences } from './config/problems.ts';
import { processIdentity } from './config/process-identity.ts';
import { readErrorText } from './config/read-error.ts';
import type { ServerSettings } from './config/server-endpoint.ts';
import { type Settings, settingsSchema } from './config/settings.ts';
import { usage } from './config/usage.ts';
import { version } from './config/version.ts';

export interface Config {
  readonly version: string;
  readonly source: KubeSource;
  /** Undefined: all. */
  readonly namespaces: readonly string[] | undefined;
  /** Undefined: every rollout names its own. `loadEndpoint` reads the files it names. */
  readonly prometheus: ServerSettings | undefined;
  /** Likewise; undefined: none. */
  readonly alertmanager: ServerSettings | undefined;
  readonly grafana: ServerSettings | undefined;
  readonly metricsAddress: ListenAddress;
  readonly healthAddress: ListenAddress;
  readonly concurrency: number;
  readonly allowLoopbackUrls: boolean;
  readonly logLevel: LogLevel;
  readonly client: { readonly requestsPerSecond: number; readonly burst: number };
  readonly query: {
    readonly timeoutMs: number;
    readonly concurrencyMax: number;
    readonly responseBytesMax: number;
  };
  /** Undefined: in ConfigMaps. */
  readonly evidenceDirectory: string | undefined;
  /** What is made for each rollout. */
  readonly manifests: ManifestSettings;
  readonly notifications: Notifications;
  /** Where the operator's own Secrets are. */
  readonly ownNamespace: string;
  /** Undefined: this process acts without asking. */
  readonly lease: LeaseConfig | undefined;
}

export interface LeaseConfig {
  readonly namespace: string;
  readonly name: string;
  /** Unique among all processes that ever run. */
  readonly identity: string;
  /** Whether a holder is provably dead, so that its lease need not run out first. */
  readonly isGone: (holder: string) => boolean;
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

export type ConfigResult =
  | { readonly type: 'run'; readonly config: Config }
  /** `--help` or `--version`: to be printed, and that is all. */
  | { readonly type: 'show'; readonly text: string }
  /** To be printed on standard error, before the process ends with INVALID_EXIT_CODE. */
  | { readonly type: 'invalid'; readonly problems: readonly string[] };

export interface ConfigInput {
  /** Without the program's own name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Throws when the file cannot be read. */
  readonly readText: (path: string) => string;
}

export const INVALID_EXIT_CODE = 2;

export function readConfig({ argv, env, readText }: ConfigInput): ConfigResult {
  const { values, configFile, asks, problems } = parseFlags(argv);
  if (asks === 'help') return { type: 'show', text: usage() };
  if (asks === 'version') return { type: 'show', text: `${version}\n` };
  const file =
    configFile === undefined
      ? { values: {}, problems: [] }
      : readSettingsFile(configFile, readText);
  const found = [...problems, ...values.flatMap(flagProblems), ...file.problems];
  if (found.length > 0) return { type: 'invalid', problems: found };
  const fromFlags = values.map(({ flag, value }) => [flag.setting, value] as const);
  // Each part has been found good by itself, and no rule of the schema reaches across fields of both.
  const settings = settingsSchema.parse({ ...file.values, ...Object.fromEntries(fromFlags) });
  const across = [...kubeconfigProblems(settings, readText), ...strayProblems(settings)];
  if (across.length > 0) return { type: 'invalid', problems: across };
  return { type: 'run', config: toConfig(settings, env) };
}

function flagProblems({ flag, value }: FlagValue): string[] {
  const checked = settingsSchema.shape[flag.setting].safeParse(value);
  if (checked.success) return [];
  // Where in a list the value stands says nothing behind a flag: the value itself is shown.
  return sentences(value, checked.error).map(
    (words) => `--${flag.name}: ${words.replace(/^\[[0-9]+\]: /, '')}`,
  );
}

/** The client would say so too, but only after it had begun to start. */
function kubeconfigProblems({ kubeconfig }: Settings, readText: ConfigInput['readText']): string[] {
  if (kubeconfig === undefined) return [];
  try {
    readText(kubeconfig);
    return [];
  } catch (error) {
    return [`kubeconfig ${JSON.stringify(kubeconfig)}: ${readErrorText(error)}`];
  }
}

/** What the operator asks, by the field that holds its credentials. */
const servers = {
  prometheus: 'Prometheus',
  alertmanager: 'Alertmanager',
  grafana: 'Grafana',
} as const;

/** Credentials for nobody are a mistake: somebody expects them to be sent. */
function strayProblems(settings: Settings): string[] {
  return (['prometheus', 'alertmanager', 'grafana'] as const).flatMap((server) => {
    if (settings[`${server}Url`] !== undefined) return [];
    const { headers, ...rest } = settings[server];
    const set = Object.entries(rest).filter(([, value]) => value !== undefined);
    const names = [...(headers.length > 0 ? ['headers'] : []), ...set.map(([name]) => name)];
    const words = `is set, but no ${servers[server]} to send it to: set ${server}Url too`;
    return names.map((name) => `${server}.${name} ${words}`);
  });
}

function serverOf(settings: Settings, server: keyof typeof servers): ServerSettings | undefined {
  const url = settings[`${server}Url`];
  return url === undefined ? undefined : { ...settings[server], url };
}

function toConfig(settings: Settings, env: ConfigInput['env']): Config {
  const { kubeconfig, namespace, client, limits, monitoring } = settings;
  return {
    version,
    source: kubeconfig === undefined ? { type: 'default' } : { type: 'file', path: kubeconfig },
    namespaces: namespace.length === 0 ? undefined : [...new Set(namespace)],
    prometheus: serverOf(settings, 'prometheus'),
    alertmanager: serverOf(settings, 'alertmanager'),
    grafana: serverOf(settings, 'grafana'),
    metricsAddress: settings.metricsAddress,
    healthAddress: settings.healthAddress,
    concurrency: settings.concurrency,
    allowLoopbackUrls: settings.allowLoopbackUrls,
    logLevel: settings.logLevel,
    client: { requestsPerSecond: client.qps, burst: client.burst },
    query: {
      timeoutMs: limits.queryTimeout,
      concurrencyMax: limits.queriesAtOnce,
      responseBytesMax: limits.responseBytes,
    },
    evidenceDirectory: settings.evidenceDir,
    manifests: {
      makes: {
        prometheusrule: monitoring.prometheusRules,
        servicemonitor: monitoring.serviceMonitors,
        dashboard: monitoring.dashboards,
      },
      labels: monitoring.labels,
      runbookUrl: monitoring.runbookUrl.replace(/[/]+$/, ''),
    },
    notifications: toNotifications(settings.notifications),
    ownNamespace: env['POD_NAMESPACE'] || namespaceOf(settings.lease, env),
    lease: settings.leaderElect ? toLease(settings.lease, env) : undefined,
  };
}

function namespaceOf({ namespace }: Settings['lease'], env: ConfigInput['env']): string {
  return namespace ?? (env['POD_NAMESPACE'] || 'default');
}

function toLease(lease: Settings['lease'], env: ConfigInput['env']): LeaseConfig {
  return {
    name: lease.name,
    namespace: namespaceOf(lease, env),
    ...processIdentity({
      podName: env['POD_NAME'] || undefined,
      hostName: hostname(),
      unique: randomUUID(),
    }),
    leaseDurationMs: lease.duration,
    renewDeadlineMs: lease.renewDeadline,
    retryMs: lease.retryPeriod,
  };
}
