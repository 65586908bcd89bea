/** `kubectl genesis __complete`: what could stand at the end of a command line, in the protocol of kubectl's completion. */
import { rolloutResource } from '#api/names.ts';
import type { Command, FlagTable, Terminal } from '#cli/command.ts';
import { listAt, textAt } from '#cli/fields.ts';
import type { ListedCommand } from '#cli/help.ts';
import type { kubeFlags } from '#cli/kube-flags.ts';
import { phases } from '#core/rules/rule.ts';
import type { KubeObject } from '#ports/cluster.ts';

type Candidate = readonly [value: string, what: string];

/** Cobra's directives: files are of no use here, or let the shell do as it likes. */
const NO_FILES = 4;
const ANYTHING = 0;
/** A key was pressed: later than this nobody waits any more. */
const LIMIT_MS = 2_000;

/** Prints candidates, one a line, and a directive. Never says what went wrong: it would stand in the command line. */
export async function complete(
  words: readonly string[],
  commands: Readonly<Record<string, ListedCommand>>,
  terminal: Terminal,
): Promise<void> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const { candidates, directive } = await found(before, current, commands, terminal);
  const fitting = candidates.filter(([value]) => value.startsWith(current));
  terminal.out(
    [...fitting.map(([value, what]) => `${value}\t${what}`), `:${directive}`, ''].join('\n'),
  );
}

interface Found {
  readonly candidates: readonly Candidate[];
  readonly directive: number;
}

async function found(
  before: readonly string[],
  current: string,
  commands: Readonly<Record<string, ListedCommand>>,
  terminal: Terminal,
): Promise<Found> {
  const [name, ...rest] = before;
  if (name === undefined)
    return noFiles(Object.entries(commands).map(([one, { what }]) => [one, what]));
  const listed = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (listed === undefined) return noFiles([]);
  const { spec } = await listed.load();
  if (current.startsWith('-')) {
    return noFiles(Object.entries(spec.flags).map(([flag, { what }]) => [`--${flag}`, what]));
  }
  const open = openFlag(rest.at(-1), spec.flags);
  if (open !== undefined) return await valuesOf(open, { rest, spec, terminal });
  if (!spec.isOnline) return { candidates: [], directive: ANYTHING };
  return noFiles(await operandsOf(name, { rest, spec, terminal }));
}

function noFiles(candidates: readonly Candidate[]): Found {
  return { candidates, directive: NO_FILES };
}

/** The flag before the cursor that still wants its value. */
function openFlag(word: string | undefined, flags: FlagTable): string | undefined {
  const entry = Object.entries(flags).find(
    ([name, { type, short }]) =>
      type === 'string' && (word === `--${name}` || word === `-${short}`),
  );
  return entry?.[0];
}

interface Asked {
  readonly rest: readonly string[];
  readonly spec: Command['spec'];
  readonly terminal: Terminal;
}

async function valuesOf(flag: string, asked: Asked): Promise<Found> {
  const { operand = '' } = asked.spec.flags[flag] ?? {};
  if (flag === 'until') return noFiles([...phases, 'done'].map((phase) => [phase, '']));
  if (flag === 'step') {
    const rollout = await named(asked);
    const steps = listAt(rollout?.['status'], 'plan').filter(
      (one) => textAt(one, 'kind') === 'Step',
    );
    return noFiles(steps.flatMap((step) => pair(textAt(step, 'name'), '')));
  }
  if (flag === 'namespace') {
    const all = await rollouts(asked, true);
    const namespaces = new Set(all.map(({ metadata }) => metadata.namespace ?? ''));
    return noFiles([...namespaces].map((namespace) => [namespace, '']));
  }
  if (operand.includes('|')) return noFiles(operand.split('|').map((value) => [value, '']));
  return { candidates: [], directive: operand === 'FILE' ? ANYTHING : NO_FILES };
}

async function operandsOf(name: string, asked: Asked): Promise<Candidate[]> {
  const words = operandsIn(asked);
  if (name === 'acknowledge' && words.length === 1) {
    const rollout = await named(asked);
    return listAt(rollout?.['status'], 'triggers').flatMap((trigger) =>
      pair(textAt(trigger, 'name'), textAt(trigger, 'state')),
    );
  }
  if (words.length > 0 && name !== 'get') return [];
  const all = await rollouts(asked, false);
  return all
    .filter(({ metadata }) => !words.includes(metadata.name))
    .flatMap((object) => pair(object.metadata.name, textAt(object['status'], 'phase')));
}

function pair(value: string | undefined, what: string | undefined): Candidate[] {
  return value === undefined ? [] : [[value, what ?? '']];
}

/** Words that are neither flags nor values of flags. */
function operandsIn({ rest, spec }: Asked): readonly string[] {
  return rest.filter(
    (word, index) => !word.startsWith('-') && openFlag(rest[index - 1], spec.flags) === undefined,
  );
}

async function named(asked: Asked): Promise<KubeObject | undefined> {
  const [name] = operandsIn(asked);
  return (await rollouts(asked, false)).find(({ metadata }) => metadata.name === name);
}

async function rollouts(
  { rest, terminal }: Asked,
  isEverywhere: boolean,
): Promise<readonly KubeObject[]> {
  const valueOf = (flag: keyof typeof kubeFlags, short?: string): string | undefined => {
    const at = rest.findIndex((word) => word === `--${flag}` || word === `-${short}`);
    return at === -1 ? undefined : rest[at + 1];
  };
  const flags = {
    namespace: valueOf('namespace', 'n'),
    kubeconfig: valueOf('kubeconfig'),
    context: valueOf('context'),
    cluster: valueOf('cluster'),
    user: valueOf('user'),
  };
  try {
    const client = await terminal.connect({ flags, requestTimeoutMs: LIMIT_MS });
    try {
      const namespace = isEverywhere ? undefined : client.namespace;
      return await client.list(rolloutResource, { namespace }, terminal.interrupted);
    } finally {
      await client.close();
    }
  } catch {
    return [];
  }
}
