/** Rollouts in files as people keep them: several documents in one, with other objects among them. */
import { LineCounter, parseAllDocuments } from 'yaml';
import type { RolloutSpec } from '#api/rollout.ts';
import { resolveSpec } from '#core/resolve.ts';
import type { RunSpec } from '#core/run-spec.ts';
import type { ResolvedSpec } from '#core/snapshot.ts';
import { inspectQuery } from '#promql/inspect-query.ts';
import { readRollout } from '#simulate/read-scenario.ts';
import { BadInput, type Terminal } from './command.ts';

export interface WrittenRollout {
  readonly name: string;
  /** As it stands in the file; undefined where it names none. */
  readonly namespace: string | undefined;
  readonly spec: RolloutSpec;
  readonly run: RunSpec;
}

/** Throws BadInput when a file cannot be read, holds no rollout, or one that would be refused. */
export function readRollouts(file: string, { readText }: Pick<Terminal, 'readText'>): RunSpec[] {
  return readWritten(file, { readText }).map(({ run }) => run);
}

/** @param namespace of those that name none */
export function readWritten(
  file: string,
  { readText }: Pick<Terminal, 'readText'>,
  namespace?: string,
): WrittenRollout[] {
  const found = documents(file, text(file, readText)).filter(isRollout);
  if (found.length === 0) throw new BadInput([`${file}: there is no GenesisRollout in it`]);
  return found.map((object) => {
    const where = found.length === 1 ? file : `${file} (${nameOf(object)})`;
    const rollout = readRollout(where, object);
    if ('problems' in rollout) throw new BadInput(rollout.problems);
    const written = namespaceOf(object);
    const place = written ?? namespace ?? rollout.namespace;
    const resolved = resolveWatched({ ...rollout, namespace: place });
    if (resolved.type === 'ok') {
      return { name: rollout.name, namespace: written, spec: rollout.spec, run: resolved.run };
    }
    throw new BadInput(resolved.problems.map((problem) => `${where}: ${problem}`));
  });
}

/** What a run would watch. */
export function resolveWatched(rollout: {
  readonly namespace: string;
  readonly name: string;
  readonly spec: RolloutSpec;
}): ResolvedSpec {
  return resolveSpec({ ...rollout, spec: watchedPart(rollout.spec), inspect: inspectQuery });
}

/** Who moves the pods and who makes the route is nothing that can be watched, and no reason to refuse a file here. */
function watchedPart({ workload: _, ...spec }: RolloutSpec): RolloutSpec {
  const routes = spec.traffic.routes.map(({ generate: _, ...route }) => route);
  return { ...spec, traffic: { ...spec.traffic, routes } };
}

function text(file: string, readText: Terminal['readText']): string {
  try {
    return readText(file);
  } catch (error) {
    throw new BadInput([`${file}: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

/** YAML 1.2; JSON is YAML too. A List is opened. */
function documents(file: string, content: string): unknown[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(content, { lineCounter: lines, prettyErrors: false });
  if (!Array.isArray(parsed)) return [];
  return parsed.flatMap((document) => {
    const [problem] = document.errors;
    if (problem !== undefined) {
      const { line, col } = lines.linePos(problem.pos[0]);
      throw new BadInput([`${file}:${line}:${col}: not YAML: ${problem.message}`]);
    }
    const value: unknown = document.toJS();
    const items: unknown = fieldOf(value, 'items');
    return fieldOf(value, 'kind') === 'List' && Array.isArray(items) ? items : [value];
  });
}

function isRollout(value: unknown): boolean {
  return fieldOf(value, 'kind') === 'GenesisRollout';
}

function nameOf(value: unknown): string {
  const name = fieldOf(fieldOf(value, 'metadata'), 'name');
  return typeof name === 'string' ? name : 'without a name';
}

function namespaceOf(value: unknown): string | undefined {
  const namespace = fieldOf(fieldOf(value, 'metadata'), 'namespace');
  return typeof namespace === 'string' && namespace !== '' ? namespace : undefined;
}

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
}
