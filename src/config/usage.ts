/** What `--help` prints: every flag with its meaning and default. */

import { describeSettings } from './describe.ts';
import { flags } from './flags.ts';

const COLUMN = 30;

export function usage(): string {
  const described = new Map(describeSettings().map((one) => [one.path, one]));
  const lines = flags.map(({ name, operand, setting }) => {
    const { meaning = '', default: fallback } = described.get(setting) ?? {};
    const flag = `  --${name}${operand === undefined ? '' : ` ${operand}`}`;
    const shown = fallback === undefined ? '' : ` (default ${fallback})`;
    return `${flag.padEnd(COLUMN)}${meaning}${shown}`;
  });
  return `Usage: node controller.mjs [FLAG]…

Looks after GenesisRollouts: moves traffic by their schedule, watches their triggers, rolls back.

${lines.join('\n')}
${'  --config FILE'.padEnd(COLUMN)}YAML with the same names in camelCase and further settings; flags win over it.
${'  --version'.padEnd(COLUMN)}Prints the version.
${'  --help'.padEnd(COLUMN)}Prints this.
`;
}
