/** The flags of the controller: which setting each sets, and how its text becomes that setting's value. */
import { parseArgs } from 'node:util';
import { nearest } from '#runtime/nearest.ts';
import type { Settings } from './settings.ts';

interface Flag {
  readonly name: string;
  /** What stands behind it in the usage; undefined where nothing need stand there. */
  readonly operand: string | undefined;
  readonly setting: keyof Settings;
  /** From text to what the schema expects. What cannot be converted is left for the schema to refuse. */
  readonly convert: (text: string) => unknown;
}

const asText = (text: string): unknown => text;
const asNumber = (text: string): unknown => (/^-?[0-9]{1,15}$/.test(text) ? Number(text) : text);
const asBoolean = (text: string): unknown =>
  text === 'true' ? true : text === 'false' ? false : text;
const asList = (text: string): unknown => [
  ...new Set(
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  ),
];

export const flags = [
  { name: 'kubeconfig', operand: 'FILE', setting: 'kubeconfig', convert: asText },
  { name: 'namespace', operand: 'NAME,…', setting: 'namespace', convert: asList },
  { name: 'prometheus-url', operand: 'URL', setting: 'prometheusUrl', convert: asText },
  { name: 'alertmanager-url', operand: 'URL', setting: 'alertmanagerUrl', convert: asText },
  { name: 'grafana-url', operand: 'URL', setting: 'grafanaUrl', convert: asText },
  { name: 'metrics-address', operand: 'ADDRESS', setting: 'metricsAddress', convert: asText },
  { name: 'health-address', operand: 'ADDRESS', setting: 'healthAddress', convert: asText },
  { name: 'concurrency', operand: 'COUNT', setting: 'concurrency', convert: asNumber },
  { name: 'leader-elect', operand: undefined, setting: 'leaderElect', convert: asBoolean },
  {
    name: 'allow-loopback-urls',
    operand: undefined,
    setting: 'allowLoopbackUrls',
    convert: asBoolean,
  },
  { name: 'evidence-dir', operand: 'DIRECTORY', setting: 'evidenceDir', convert: asText },
  { name: 'log-level', operand: 'LEVEL', setting: 'logLevel', convert: asText },
] as const satisfies readonly Flag[];

/** Flags that set nothing. */
export const otherFlags = ['config', 'version', 'help'] as const;

export interface FlagValue {
  readonly flag: Flag;
  readonly text: string;
  readonly value: unknown;
}

export interface ParsedFlags {
  readonly values: readonly FlagValue[];
  readonly configFile: string | undefined;
  readonly asks: 'version' | 'help' | undefined;
  readonly problems: readonly string[];
}

/** Later flags win over earlier ones of the same name, as everywhere. Never throws. */
export function parseFlags(argv: readonly string[]): ParsedFlags {
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true });
  const values = new Map<string, FlagValue>();
  const problems: string[] = [];
  let configFile: string | undefined;
  let asks: ParsedFlags['asks'];
  let unknownAt: number | undefined;
  for (const token of tokens) {
    const read = readToken(token);
    switch (read.type) {
      case 'asks':
        asks ??= read.asks;
        break;
      case 'configFile':
        configFile = read.path;
        break;
      case 'value':
        values.set(read.value.flag.name, read.value);
        break;
      case 'unknown':
        problems.push(read.problem);
        unknownAt = token.index;
        break;
      case 'positional':
        // Most likely the value of the unknown flag before it: one sentence is enough.
        if (token.index - 1 !== unknownAt) problems.push(read.problem);
        break;
      case 'problem':
        problems.push(read.problem);
        break;
      case 'nothing':
        break;
    }
  }
  return { values: [...values.values()], configFile, asks, problems };
}

/** What `parseArgs` makes of the command line, one entry a flag or argument. */
type Token =
  | { readonly kind: 'option-terminator'; readonly index: number }
  | { readonly kind: 'positional'; readonly index: number; readonly value: string }
  | {
      readonly kind: 'option';
      readonly index: number;
      readonly name: string;
      /** As it was written: `-h`, `--help`. */
      readonly rawName: string;
      readonly value?: string | undefined;
      readonly inlineValue?: boolean | undefined;
    };

type Read =
  | { readonly type: 'nothing' }
  | { readonly type: 'asks'; readonly asks: 'version' | 'help' }
  | { readonly type: 'configFile'; readonly path: string }
  | { readonly type: 'value'; readonly value: FlagValue }
  | { readonly type: 'unknown' | 'positional' | 'problem'; readonly problem: string };

function readToken(token: Token): Read {
  if (token.kind === 'option-terminator') return { type: 'nothing' };
  if (token.kind === 'positional') {
    const problem = `unexpected argument ${JSON.stringify(token.value)}: every setting has a flag; see --help`;
    return { type: 'positional', problem };
  }
  const { name, rawName, value: text, inlineValue } = token;
  if (name === 'help' || name === 'version') return { type: 'asks', asks: name };
  const flag = flags.find((one) => `--${one.name}` === rawName);
  if (flag !== undefined && flag.operand === undefined) {
    const said = text ?? 'true';
    return { type: 'value', value: { flag, text: said, value: flag.convert(said) } };
  }
  if (flag === undefined && rawName !== '--config') {
    return { type: 'unknown', problem: unknownFlag(rawName) };
  }
  // What is empty the schema judges: an empty list of namespaces means all.
  const isMissing = text === undefined || (inlineValue !== true && text.startsWith('--'));
  if (isMissing) {
    const problem = `${rawName} needs a value: ${rawName} ${flag?.operand ?? 'FILE'}`;
    return { type: 'problem', problem };
  }
  if (flag === undefined) return { type: 'configFile', path: text };
  return { type: 'value', value: { flag, text, value: flag.convert(text) } };
}

/** A flag without an operand is a boolean; `--leader-elect=false` is told by its text. */
const options = Object.fromEntries([
  ...flags.map(({ name, operand }) => [
    name,
    { type: operand === undefined ? 'boolean' : 'string' } as const,
  ]),
  ['config', { type: 'string' }] as const,
  ['version', { type: 'boolean' }] as const,
  ['help', { type: 'boolean', short: 'h' }] as const,
]);

function unknownFlag(rawName: string): string {
  const known = [...flags.map(({ name }) => name), ...otherFlags];
  const guess = rawName.startsWith('--') ? nearest(rawName.slice(2), known) : undefined;
  return `unknown flag ${rawName}; ${guess === undefined ? 'see --help' : `did you mean --${guess}?`}`;
}
