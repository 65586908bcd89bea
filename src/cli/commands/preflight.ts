/** `kubectl genesis preflight NAME`: checks the metric chain of a rollout from here, with the operator's own code. */
import { randomUUID } from 'node:crypto';
import { stringify } from 'yaml';
import {
  BadInput,
  type Command,
  type ExitCode,
  Failure,
  type FlagTable,
  type Terminal,
} from '#cli/command.ts';
import { findRollout } from '#cli/find-rollout.ts';
import { oneOf, readFlags } from '#cli/flags.ts';
import { durationOf, kubeFlags, withLazyClient } from '#cli/kube-flags.ts';
import { onlyName } from '#cli/one-rollout.ts';
import { inkFor } from '#cli/page/ink.ts';
import { pageWidth } from '#cli/page/width.ts';
import type { Network } from '#cli/preflight/network.ts';
import { createReach } from '#cli/preflight/reach.ts';
import { reportText } from '#cli/preflight/report-text.ts';
import { serviceStates } from '#cli/preflight/services.ts';
import { type Subject, subjectInCluster, subjectInFile } from '#cli/preflight/subject.ts';
import {
  asPeopleKnow,
  openSystems,
  type Places,
  type SystemsOptions,
} from '#cli/preflight/systems.ts';
import { fireTestAlert } from '#cli/preflight/test-alert.ts';
import { verdictOf } from '#cli/preflight/verdict.ts';
import type { ChainFinding, ChainReport } from '#core/chain.ts';
import type { RunSpec } from '#core/run-spec.ts';
import type { KubectlClient } from '#kube/kubectl-client.ts';
import type { Clock } from '#ports/clock.ts';
import type { AlertRouter, MonitoringSystems } from '#ports/monitoring-systems.ts';
import { DeadlineExceeded, withDeadline } from '#runtime/deadline.ts';

const flags = {
  file: { type: 'string', short: 'f', operand: 'FILE', what: 'a rollout that is not applied yet' },
  prometheus: {
    type: 'string',
    operand: 'URL',
    what: "where Prometheus is; default: the rollout's spec.analysis.prometheus.url",
  },
  alertmanager: {
    type: 'string',
    multiple: true,
    operand: 'URL',
    what: 'where Alertmanager is; may be repeated; default: those to which Prometheus sends',
  },
  grafana: { type: 'string', operand: 'URL', what: 'where Grafana is; default: it is not asked' },
  'grafana-token-file': {
    type: 'string',
    operand: 'FILE',
    what: "the token of a service account of Grafana's",
  },
  header: {
    type: 'string',
    multiple: true,
    operand: "'NAME: X'",
    what: 'sent with every question to Prometheus; may be repeated',
  },
  'fire-alert': {
    type: 'boolean',
    what: 'posts a test alert to every Alertmanager, waits until it names the receivers, and resolves it',
  },
  timeout: {
    type: 'string',
    operand: 'DURATION',
    what: 'how long the check may take, and how long to wait for the test alert; default: 5m',
  },
  output: {
    type: 'string',
    short: 'o',
    operand: 'text|json|yaml',
    what: 'a page for people, or the report as data; default: text',
  },
  'no-color': { type: 'boolean', what: 'no colours; the same as NO_COLOR=1' },
  ...kubeFlags,
} as const satisfies FlagTable;

type Values = ReturnType<typeof readFlags<typeof flags>>['values'];

/** What the command is made of that asks other systems. */
export interface PreflightTools {
  readonly openReaders: SystemsOptions['openReaders'];
  readonly openNetwork: (clock: Clock) => Network;
  readonly check: (
    systems: MonitoringSystems,
    check: {
      readonly run: RunSpec;
      readonly generation: number;
      readonly weight: number;
      readonly atMs: number;
    },
    signal: AbortSignal,
  ) => Promise<ChainReport>;
}

export function preflightWith(tools: PreflightTools): Command {
  return {
    spec: {
      operands: 'NAME [flags]',
      about: [
        'Each link is looked at as the operator looks at it, but from here and with your rights: metric, label, target, scrapes, age of the sample, value, rule, Alertmanager, receiver, dashboard.',
        'A URL that only the cluster knows is asked through the API server. docs/preflight.md has every cause and what mends it.',
      ],
      flags,
      isOnline: true,
      examples: [
        ['kubectl genesis preflight checkout -n shop', 'a rollout of the cluster'],
        [
          'kubectl genesis preflight -f FILE --prometheus http://prometheus.monitoring.svc:9090',
          'one that is not applied yet',
        ],
        ['kubectl genesis preflight checkout -n shop --fire-alert', 'with a test alert'],
      ],
      exits: [
        'asExpected',
        'failed',
        'badInput',
        'notFound',
        'refused',
        'preflightFailed',
        'timedOut',
        'interrupted',
      ],
    },
    run: (args, terminal) => preflight(args, terminal, tools),
  };
}

async function preflight(
  args: readonly string[],
  terminal: Terminal,
  tools: PreflightTools,
): Promise<ExitCode> {
  const { values, positionals } = readFlags(args, flags);
  const output = oneOf('--output', values.output ?? 'text', ['text', 'json', 'yaml']);
  const limitMs = durationOf('--timeout', values.timeout ?? '5m');
  const places = placesOf(values, terminal);
  return await withLazyClient(values, terminal, async (client) => {
    const subject = await subjectOf(positionals, values, client, terminal);
    const network = tools.openNetwork(terminal.clock);
    const reach = createReach({ network, client, signal: terminal.interrupted });
    const { openReaders } = tools;
    const options = { subject, places, reach, openReaders, client, terminal };
    const { systems, shown, unreached, close } = await openSystems(options);
    try {
      const work = { systems, unreached, subject, terminal, limitMs };
      const found = await check(tools, work);
      const fired = values['fire-alert'] === true ? await fire(work) : [];
      const report = asPeopleKnow({ ...found, findings: [...found.findings, ...fired] }, reach);
      if (output === 'text') {
        const services =
          values.file === undefined
            ? await serviceStates(subject, await client(), terminal.interrupted)
            : [];
        const ink = inkFor({ ...terminal, isPlain: values['no-color'] === true });
        const width = pageWidth(terminal);
        terminal.out(
          reportText({ subject, report, services, places: shown, unreached, width, ink }),
        );
      } else if (output === 'json') terminal.out(`${JSON.stringify(report, undefined, 2)}\n`);
      else terminal.out(stringify(report, { lineWidth: 0, aliasDuplicateObjects: false }));
      return verdictOf(report).exit;
    } finally {
      await close();
    }
  });
}

async function subjectOf(
  positionals: readonly string[],
  { file, namespace }: Values,
  client: () => Promise<KubectlClient>,
  terminal: Terminal,
): Promise<Subject> {
  const [name] = positionals;
  if (file !== undefined) {
    const wanted = name === undefined ? undefined : onlyName(positionals, 'preflight');
    return subjectInFile(file, { name: wanted, namespace }, terminal);
  }
  const wanted = onlyName(positionals, 'preflight');
  const cluster = await client();
  const object = await findRollout(cluster, wanted, terminal.interrupted);
  return await subjectInCluster(object, cluster, terminal.interrupted);
}

function placesOf(values: Values, { readText }: Terminal): Places {
  const tokenFile = values['grafana-token-file'];
  if (tokenFile !== undefined && values.grafana === undefined) {
    throw new BadInput(['--grafana-token-file needs --grafana: a token is for a server']);
  }
  return {
    prometheus: values.prometheus,
    alertmanagers: values.alertmanager ?? [],
    grafana: values.grafana,
    headers: Object.fromEntries((values.header ?? []).map(headerOf)),
    grafanaToken: tokenFile === undefined ? undefined : tokenIn(tokenFile, readText),
  };
}

function headerOf(given: string): readonly [string, string] {
  const [, name, value] = /^([^:\s]+):\s*([^\r\n]*)$/.exec(given) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw new BadInput(['--header is not of the form "Name: value"']);
}

/** The token itself is never shown. */
function tokenIn(file: string, readText: Terminal['readText']): string {
  let text: string;
  try {
    text = readText(file).trim();
  } catch (error) {
    throw new BadInput([`${file}: ${error instanceof Error ? error.message : String(error)}`]);
  }
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new BadInput([`--grafana-token-file ${file}: the file holds no token of one line`]);
}

interface Work {
  readonly systems: MonitoringSystems;
  readonly unreached: readonly string[];
  readonly subject: Subject;
  readonly terminal: Terminal;
  readonly limitMs: number;
}

async function check(tools: PreflightTools, work: Work): Promise<ChainReport> {
  const { systems, limitMs } = work;
  const { run, generation, weight } = work.subject;
  const { clock, interrupted } = work.terminal;
  try {
    const atMs = clock.now();
    return await withDeadline(clock, limitMs, [interrupted], (signal) =>
      tools.check(systems, { run, generation, weight, atMs }, signal),
    );
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error;
    throw new Failure('timedOut', [
      'the chain could not be checked in time; --timeout waits longer',
    ]);
  }
}

async function fire(work: Work): Promise<readonly ChainFinding[]> {
  const { limitMs, unreached } = work;
  const { namespace, name } = work.subject;
  const { clock, interrupted } = work.terminal;
  const routers = await routersOf(work);
  if (!Array.isArray(routers)) return [routers];
  const id = randomUUID();
  const signal = interrupted;
  const fired = await fireTestAlert(routers, {
    namespace,
    rollout: name,
    id,
    limitMs,
    clock,
    signal,
  });
  return [...fired, ...unreached.map(untold)];
}

function untold(message: string): ChainFinding {
  const base = { link: 'alertmanager', of: 'the test alert', subject: 'Alertmanager' } as const;
  return { ...base, verdict: 'cannotTell', message };
}

/** Those of the flags, else those to which Prometheus sends; a finding where none can be had. */
async function routersOf({
  systems: { alertRouters, alertRouterAt, metrics },
  unreached,
  terminal,
}: Work): Promise<AlertRouter[] | ChainFinding> {
  if (alertRouters.length > 0) return [...alertRouters];
  const none = {
    link: 'alertmanager',
    of: 'the test alert',
    subject: metrics.url,
    verdict: 'broken',
    mend: 'Name an Alertmanager with --alertmanager.',
  } as const;
  const told = await metrics.alertmanagers(terminal.interrupted);
  if (told.type !== 'told') {
    return { ...none, cause: 'unreachable', message: `it was not fired: ${told.message}` };
  }
  const routers = told.value.flatMap((url) => alertRouterAt(url) ?? []);
  if (routers.length > 0) return routers;
  if (unreached.length > 0) {
    return { ...none, cause: 'unreachable', message: `it was not fired: ${unreached.join('; ')}` };
  }
  return {
    ...none,
    cause: 'noReceiver',
    message: 'it was not fired: Prometheus sends to no Alertmanager',
    mend: 'Name one in `alerting.alertmanagers` of its configuration, or with --alertmanager.',
  };
}
