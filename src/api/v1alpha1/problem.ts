/** One thing that is wrong with a spec, said so that a person can mend it. */
import type { PathPart } from './twin.ts';

export interface SpecProblem {
  /** `spec.triggers[3].condition` */
  readonly path: string;
  /** What stands there, as JSON, when it is a scalar. */
  readonly value?: string;
  /** `spec.triggers[3] (latency): condition "> 500furlongs": unknown unit "furlongs"; allowed are …` */
  readonly message: string;
  /** The twin that found it, or `schema`. */
  readonly rule: string;
}

const valueLengthMax = 128;

/** `root` is the object that `path` leads into; it is asked for the names of list elements. */
export function problem(
  root: unknown,
  path: readonly PathPart[],
  finding: { readonly message: string; readonly value?: unknown; readonly rule: string },
): SpecProblem {
  const value = scalarText(finding.value);
  return {
    path: pathText(path),
    ...(value === undefined ? {} : { value }),
    message: `${labelled(root, path)}: ${finding.message}`,
    rule: finding.rule,
  };
}

export function pathText(path: readonly PathPart[]): string {
  return path.map((part, index) => partText(part, index)).join('');
}

/** Like {@link pathText}, with the name of the innermost named list element: `spec.triggers[3] (latency).condition`. */
function labelled(root: unknown, path: readonly PathPart[]): string {
  let at: unknown = root;
  let text = '';
  for (const [index, part] of path.entries()) {
    at = typeof at === 'object' && at !== null ? Reflect.get(at, part) : undefined;
    text += partText(part, index);
    const name = typeof part === 'number' ? nameOf(at) : undefined;
    if (name !== undefined) text += ` (${name})`;
  }
  return text;
}

function partText(part: PathPart, index: number): string {
  if (typeof part === 'number') return `[${part}]`;
  return index === 0 ? part : `.${part}`;
}

function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const name: unknown = Reflect.get(value, 'name');
  return typeof name === 'string' && name.length <= valueLengthMax ? name : undefined;
}

export function scalarText(value: unknown): string | undefined {
  if (!['string', 'number', 'boolean'].includes(typeof value) && value !== null) return undefined;
  const text = JSON.stringify(value);
  return text.length <= valueLengthMax ? text : `${text.slice(0, valueLengthMax)}…`;
}
