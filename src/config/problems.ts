/** What is wrong with settings, as sentences that name the field, the value and what is allowed. */
import { z } from 'zod';
import { issueText } from '#api/issue-text.ts';
import { pathText } from '#api/problem.ts';
import { nearest } from '#runtime/nearest.ts';
import { settingsSchema } from './settings.ts';

type Issue = z.core.$ZodIssue;

/** @param root what was checked; the paths of the issues lead into it */
export function sentences(root: unknown, error: z.ZodError): string[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.filter((part) => typeof part !== 'symbol');
    const field = path.length === 0 ? '' : `${pathText(path)}: `;
    if (issue.code === 'unrecognized_keys') {
      return unknownFields(issue, knownFields(path)).map((words) => `${field}${words}`);
    }
    return [`${field}${issueText(issue, isSecret(path) ? undefined : valueAt(root, path))}`];
  });
}

function unknownFields(
  issue: Extract<Issue, { code: 'unrecognized_keys' }>,
  known: readonly string[],
): string[] {
  return issue.keys.map((key) => {
    const guess = nearest(key, known);
    const hint = guess === undefined ? `known are ${known.join(', ')}` : `did you mean ${guess}?`;
    return `unknown field ${JSON.stringify(key)}; ${hint}`;
  });
}

/** Header values are often credentials, and a secret that should be named may stand there itself. */
function isSecret(path: readonly PropertyKey[]): boolean {
  if (path[0] === 'notifications') return path.some((part) => secretFields.includes(part));
  const [first] = path;
  return servers.some((one) => one === first) && path.at(-1) === 'value';
}

/** Fields that say how the operator makes itself known to a server. */
const servers: readonly PropertyKey[] = ['prometheus', 'alertmanager', 'grafana'];

const secretFields: readonly PropertyKey[] = [
  'webhookUrl',
  'token',
  'routingKey',
  'password',
  'bearerToken',
  'secret',
  'url',
  'proxyUrl',
];

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, part) => (typeof at === 'object' && at !== null ? Reflect.get(at, part) : undefined),
    root,
  );
}

interface Node {
  readonly properties?: Readonly<Record<string, Node>> | undefined;
  readonly items?: Node | undefined;
}

const nodeSchema: z.ZodType<Node> = z.object({
  get properties() {
    return z.record(z.string(), nodeSchema).optional();
  },
  get items() {
    return nodeSchema.optional();
  },
});

/** The fields that may stand at a place of the file. */
function knownFields(path: readonly PropertyKey[]): string[] {
  const root = nodeSchema.parse(
    z.toJSONSchema(settingsSchema, { io: 'input', unrepresentable: 'any', reused: 'inline' }),
  );
  const node = path.reduce<Node | undefined>(
    (at, part) => (typeof part === 'number' ? at?.items : at?.properties?.[String(part)]),
    root,
  );
  return Object.keys(node?.properties ?? {});
}
