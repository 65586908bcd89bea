/** The command line of `npm run demo`; what is wrong with it is said in one sentence. */
import { parseArgs } from 'node:util';

export const usage = `Usage: npm run demo -- [flags]

Starts a Kubernetes control plane, Prometheus and a gateway on this machine, and rolls out a small service twice:
run 1 ends at 100 %, run 2 begins to fail at 50 % and is rolled back. The first start builds the parts, which takes
10 to 20 minutes; then it takes about five.

  --only 1|2            only one of the two runs
  --short               a plan of half a minute instead of two minutes
  --json FILE           writes the summary as JSON
  --keep                leaves everything running at the end, until Ctrl-C
  --help

On a cluster of your own that has the Gateway API, a Prometheus and real nodes (all but the last are needed):
  --kubeconfig FILE     the cluster; the demo installs our CRDs, and makes and deletes a namespace genesis-demo
  --image IMAGE         an image with Node 20 or newer as \`node\`, for the sample service
  --gateway NS/NAME     the Gateway that takes the demo's HTTPRoute, host name checkout.example
  --gateway-url URL     where this machine reaches that Gateway
  --prometheus-url URL  where this machine reaches the Prometheus; it must scrape the pods (see docs/demo.md)
  --scrape-interval N   seconds between its scrapes; the plan becomes as long as that needs; default 15
`;

export type RunNumber = 1 | 2;

export interface ExistingCluster {
  readonly kubeconfig: string;
  readonly image: string;
  readonly gateway: { readonly namespace: string; readonly name: string };
  readonly gatewayUrl: string;
  readonly prometheusUrl: string;
  readonly scrapeIntervalMs: number;
}

export interface DemoFlags {
  readonly runs: readonly RunNumber[];
  readonly isShort: boolean;
  readonly json: string | undefined;
  readonly keep: boolean;
  /** From the demo outside the network namespace to the one inside: the folder of its doors. */
  readonly doors: string | undefined;
  /** Undefined: everything on this machine. */
  readonly existing: ExistingCluster | undefined;
}

export type Invocation =
  | { readonly type: 'help' }
  | { readonly type: 'run'; readonly flags: DemoFlags };

/** A mistake of the person at the shell: shown without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Not for people. */
const doorsFlag = 'doors';

const options = {
  only: { type: 'string' },
  short: { type: 'boolean' },
  json: { type: 'string' },
  keep: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  kubeconfig: { type: 'string' },
  image: { type: 'string' },
  gateway: { type: 'string' },
  'gateway-url': { type: 'string' },
  'prometheus-url': { type: 'string' },
  'scrape-interval': { type: 'string' },
  [doorsFlag]: { type: 'string' },
} as const;

type Values = ReturnType<typeof parse>;

export function parseInvocation(args: readonly string[]): Invocation {
  const values = parse(args);
  if (values.help === true) return { type: 'help' };
  const flags: DemoFlags = {
    runs: parseOnly(values.only),
    isShort: values.short === true,
    json: values.json,
    keep: values.keep === true,
    doors: values.doors,
    existing: parseExisting(values),
  };
  return { type: 'run', flags };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    const said = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error);
    const names = Object.keys(options).filter((name) => name !== doorsFlag);
    const flags = names.map((name) => `--${name}`);
    throw new UsageError(`${said.replace(/\.$/, '')}; the flags are ${flags.join(', ')}`, {
      cause: error,
    });
  }
}

function parseOnly(only: string | undefined): readonly RunNumber[] {
  if (only === undefined) return [1, 2];
  if (only === '1') return [1];
  if (only === '2') return [2];
  throw new UsageError(
    `--only ${only}: there are two runs, 1 (a good version) and 2 (a version that begins to fail)`,
  );
}

const forExisting = ['image', 'gateway', 'gateway-url', 'prometheus-url'] as const;

function parseExisting(values: Values): ExistingCluster | undefined {
  const { kubeconfig } = values;
  if (kubeconfig === undefined) {
    const stray = [...forExisting, 'scrape-interval' as const].find(
      (name) => values[name] !== undefined,
    );
    if (stray === undefined) return undefined;
    throw new UsageError(`--${stray} is for a cluster of your own and needs --kubeconfig FILE too`);
  }
  const missing = forExisting.filter((name) => values[name] === undefined);
  if (missing.length > 0) {
    const names = missing.map((name) => `--${name}`).join(', ');
    throw new UsageError(`--kubeconfig also needs ${names}: the demo cannot know them`);
  }
  return {
    kubeconfig,
    image: values.image ?? '',
    gateway: parseGateway(values.gateway ?? ''),
    gatewayUrl: parseUrl('--gateway-url', values['gateway-url'] ?? ''),
    prometheusUrl: parseUrl('--prometheus-url', values['prometheus-url'] ?? ''),
    scrapeIntervalMs: parseScrapeInterval(values['scrape-interval'] ?? '15'),
  };
}

function parseGateway(text: string): ExistingCluster['gateway'] {
  const [, namespace, name] = /^([a-z0-9.-]+)\/([a-z0-9.-]+)$/.exec(text) ?? [];
  if (namespace === undefined || name === undefined) {
    throw new UsageError(
      `--gateway ${text} is not of the form NAMESPACE/NAME, such as infra/public`,
    );
  }
  return { namespace, name };
}

function parseUrl(flag: string, text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`${flag} ${text} is not a URL such as http://127.0.0.1:8080`);
  }
  return text.replace(/\/$/, '');
}

const scrapeSecondsMax = 300;

function parseScrapeInterval(text: string): number {
  const seconds = /^\d+s?$/.test(text) ? Number.parseInt(text, 10) : 0;
  if (seconds < 1 || seconds > scrapeSecondsMax) {
    throw new UsageError(
      `--scrape-interval ${text} is not a whole number of seconds from 1 to ${scrapeSecondsMax}, such as 15`,
    );
  }
  return seconds * 1_000;
}
