/** The settings as rows, read from their schema: for `--help` and for docs/reference/flags.md. */
import { z } from 'zod';
import { settingsSchema } from './settings.ts';

export interface SettingRow {
  /** `prometheus.tls.caFile`; elements of lists are `[]`. */
  readonly path: string;
  readonly meaning: string;
  /** As it would be written; undefined where there is none. */
  readonly default: string | undefined;
  /** False for those that only hold other settings. */
  readonly isLeaf: boolean;
}

interface Node {
  readonly description?: string | undefined;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>> | undefined;
  readonly items?: Node | undefined;
}

const nodeSchema: z.ZodType<Node> = z.object({
  description: z.string().optional(),
  default: z.unknown().optional(),
  get properties() {
    return z.record(z.string(), nodeSchema).optional();
  },
  get items() {
    return nodeSchema.optional();
  },
});

export function describeSettings(): SettingRow[] {
  const schema = z.toJSONSchema(settingsSchema, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
  });
  return rows(nodeSchema.parse(schema), '');
}

function rows(node: Node, prefix: string): SettingRow[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const path = `${prefix}${name}`;
    const isLeaf = child.properties === undefined;
    const row: SettingRow = {
      path,
      meaning: child.description ?? '',
      default: isLeaf ? defaultText(child.default) : undefined,
      isLeaf,
    };
    const elements = child.items === undefined ? [] : rows(child.items, `${path}[].`);
    return [row, ...rows(child, `${path}.`), ...elements];
  });
}

function defaultText(value: unknown): string | undefined {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
