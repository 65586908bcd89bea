/** A status as its schema knows it: whatever breaks the schema is left out and named, and nothing is thrown. */
import { issueText } from '#api/issue-text.ts';
import { pathText } from '#api/problem.ts';
import { type RolloutStatus, rolloutStatusSchema } from '#api/status.ts';
import { at, printable } from '#cli/fields.ts';

export interface ReadableStatus {
  readonly status: RolloutStatus;
  /** What has been left out and why, as sentences. */
  readonly problems: readonly string[];
}

/** Every pass takes out whole elements, so a few are enough for anything. */
const PASSES_MAX = 8;
const DEPTH_MAX = 12;

export function readStatus(raw: unknown): ReadableStatus {
  const problems: string[] = [];
  let value = copied(raw ?? {}, 0);
  for (let pass = 0; pass < PASSES_MAX; pass += 1) {
    const result = rolloutStatusSchema.safeParse(value);
    if (result.success) return { status: result.data, problems };
    const broken: Path[] = [];
    for (const issue of result.error.issues) {
      const path = issue.path.filter((part) => typeof part !== 'symbol');
      const found = at(value, ...path);
      const where = pathText(['status', ...path]);
      problems.push(`${where}: ${issueText(issue, found)}`);
      // What is required and missing makes all of what it is missing from useless.
      broken.push(found === undefined ? path.slice(0, -1) : path);
    }
    if (broken.some((path) => path.length === 0)) break;
    value = without(value, broken);
  }
  return { status: {}, problems };
}

type Path = readonly (string | number)[];

/** Objects and lists anew, so that what is taken out is taken out of ours; texts without control characters. */
function copied(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return printable(value);
  if (depth > DEPTH_MAX || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => copied(one, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, copied(one, depth + 1)]),
  );
}

function without(value: unknown, paths: readonly Path[]): unknown {
  if (typeof value !== 'object' || value === null || paths.length === 0) return value;
  const inside = (key: string | number) =>
    paths.filter(([first]) => String(first) === String(key)).map((path) => path.slice(1));
  const isGone = (key: string | number) => inside(key).some((path) => path.length === 0);
  if (Array.isArray(value)) {
    return value.flatMap((one, index) => (isGone(index) ? [] : [without(one, inside(index))]));
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) =>
      isGone(key) ? [] : [[key, without(one, inside(key))]],
    ),
  );
}
