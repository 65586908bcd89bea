/** What the API has and this version does not carry out yet. A run that would ignore it is refused instead. */
import type { RolloutSpec } from '#api/rollout.ts';

export function unsupported(spec: RolloutSpec): string[] {
  const sentences: string[] = [];
  const refuse = (field: string, what: string) =>
    sentences.push(`${field}: ${what} is not carried out by this version; leave it out`);
  if (spec.workload !== undefined) refuse('spec.workload', 'keeping a stable copy of a workload');
  for (const [index, route] of spec.traffic.routes.entries()) {
    if (route.generate !== undefined) {
      refuse(`spec.traffic.routes[${index}].generate`, 'making the route');
    }
  }
  return sentences;
}
