/** The scenario file of `kubectl genesis simulate` as a JSON Schema, for editors; `simulate` itself says more of what is wrong. */
import { z } from 'zod';
import { scenarioSchema } from '#simulate/scenario.ts';

export function scenarioJsonSchema(): string {
  const schema = z.toJSONSchema(scenarioSchema, { io: 'input' });
  const described = { title: 'A scenario of kubectl genesis simulate', ...schema };
  return `${JSON.stringify(described, undefined, 2)}\n`;
}
