/** From the text of a scenario file to what can be run: every bad value becomes a sentence naming file, field and value. */
import { LineCounter, parseDocument } from 'yaml';
import { parseDuration } from '#api/duration.ts';
import { type RolloutSpec, rolloutSpecSchema } from '#api/rollout.ts';
import { problemsIn, validateSpec } from '#api/validate.ts';
import { isRecord, mergePatch } from './merge-patch.ts';
import { isInstant, momentMs } from './moment.ts';
import { type ScenarioInput, scenarioSchema } from './scenario.ts';

export interface Scenario extends ScenarioInput {
  readonly file: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly namespace: string;
  readonly name: string;
  /** As it is written, for merge patches. */
  readonly specInput: Readonly<Record<string, unknown>>;
  readonly spec: RolloutSpec;
}

export type ScenarioResult =
  | { readonly type: 'ok'; readonly scenario: Scenario }
  | { readonly type: 'invalid'; readonly problems: readonly string[] };

export interface ScenarioSource {
  /** As the user named it. */
  readonly file: string;
  readonly text: string;
  /** Reads a file that the scenario names; throws with a sentence when it cannot. */
  readonly readBeside: (path: string) => string;
}

/** Time after the last point of the plan that a scenario without a duration is given: for monitoring and a rollback. */
const AFTERWARDS_MS = 3_600_000;

export function readScenario(source: ScenarioSource): ScenarioResult {
  const { file } = source;
  const document = parseYaml(file, source.text);
  if ('problems' in document) return { type: 'invalid', problems: document.problems };
  const parsed = scenarioSchema.safeParse(document.value);
  if (!parsed.success) {
    const found = problemsIn(document.value, [], parsed.error);
    return {
      type: 'invalid',
      problems: found.map(({ message }) => `${file}: ${trimmed(message)}`),
    };
  }
  const input = parsed.data;
  const rollout = rolloutOf(input, source);
  if ('problems' in rollout) return { type: 'invalid', problems: rollout.problems };
  const startMs = Date.parse(input.start);
  const endMs = endOf(input, startMs, rollout.spec);
  if (endMs <= startMs) {
    const problem = `${file}: until: ${JSON.stringify(input.until)} is not after the start, ${input.start}`;
    return { type: 'invalid', problems: [problem] };
  }
  return { type: 'ok', scenario: { ...input, ...rollout, file, startMs, endMs } };
}

interface RolloutPart {
  readonly namespace: string;
  readonly name: string;
  readonly specInput: Readonly<Record<string, unknown>>;
  readonly spec: RolloutSpec;
}

function rolloutOf(
  input: ScenarioInput,
  { file, readBeside }: ScenarioSource,
): RolloutPart | { readonly problems: readonly string[] } {
  const from = input.rolloutFile;
  let object: unknown = input.rollout;
  if (from !== undefined) {
    try {
      const document = parseYaml(from, readBeside(from));
      if ('problems' in document) return document;
      object = document.value;
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      return { problems: [`${file}: rolloutFile ${JSON.stringify(from)}: ${words}`] };
    }
  }
  const patched =
    input.rolloutPatch === undefined ? object : mergePatch(object, input.rolloutPatch);
  return readRollout(from ?? `${file}: rollout`, patched);
}

/** @param where what the sentences begin with */
export function readRollout(
  where: string,
  object: unknown,
): RolloutPart | { readonly problems: readonly string[] } {
  if (!isRecord(object)) return { problems: [`${where}: is not a GenesisRollout object`] };
  if (object['kind'] !== undefined && object['kind'] !== 'GenesisRollout') {
    return { problems: [`${where}: kind ${JSON.stringify(object['kind'])} is not GenesisRollout`] };
  }
  const { metadata, spec: specInput } = object;
  const parsed = rolloutSpecSchema.safeParse(specInput);
  if (!parsed.success || !isRecord(specInput)) {
    return { problems: validateSpec(specInput).map(({ message }) => `${where}: ${message}`) };
  }
  const named = (field: string, fallback: string): string => {
    const value: unknown = isRecord(metadata) ? metadata[field] : undefined;
    return typeof value === 'string' ? value : fallback;
  };
  const namespace = named('namespace', 'default');
  return { namespace, name: named('name', 'rollout'), specInput, spec: parsed.data };
}

/** YAML 1.2, where `no` is a word and a timestamp is a string. */
export function parseYaml(
  file: string,
  text: string,
): { readonly value: unknown } | { readonly problems: readonly string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    return {
      problems: document.errors.map(({ message, pos: [from] }) => {
        const { line, col } = lines.linePos(from);
        return `${file}:${line}:${col}: not YAML: ${message}`;
      }),
    };
  }
  return { value: document.toJS() };
}

function endOf(input: ScenarioInput, startMs: number, spec: RolloutSpec): number {
  if (input.duration !== undefined) return startMs + parseDuration(input.duration);
  if (input.until !== undefined) return momentMs(input.until, startMs);
  const end = parseDuration(spec.schedule?.end ?? '48h');
  const monitor = parseDuration(
    spec.success?.thenMonitorFor ?? (spec.schedule === undefined ? '24h' : '0s'),
  );
  const last = input.at.map(({ at }) =>
    isInstant(at) ? Date.parse(at) - startMs : parseDuration(at),
  );
  return startMs + Math.max(end + monitor, ...last) + AFTERWARDS_MS;
}

/** A problem of the file as a whole has no field to name. */
function trimmed(message: string): string {
  return message.replace(/^: /, '');
}
