/** Whether what a person waits for has come, or can no longer come. */
import type { ExitName } from '#cli/command.ts';
import { listAt, numberAt, textAt } from '#cli/fields.ts';
import { phases } from '#core/rules/rule.ts';
import type { KubeObject } from '#ports/cluster.ts';

export const phaseNames = phases;

export type Until = (typeof phases)[number] | 'done';

export type Ending =
  | { readonly type: 'reached' }
  | { readonly type: 'missed'; readonly exit: ExitName; readonly message: string };

/** Undefined while it may still come. */
export function endingOf(object: KubeObject, until: Until): Ending | undefined {
  const { name } = object.metadata;
  const status = object['status'];
  const phase = textAt(status, 'phase');
  if (phase === undefined || !isAnswered(object)) return undefined;
  if (phase === until) return { type: 'reached' };
  const message = textAt(status, 'message') ?? '';
  if (phase === 'Pending') {
    const why = refusalOf(object);
    return why === undefined ? undefined : missed('refused', `${name} is not begun: ${why}`);
  }
  if (isToBegin(object)) return undefined;
  if (phase === 'RolledBack') return missed('rolledBack', `${name} is rolled back: ${message}`);
  if (phase !== 'Succeeded') return undefined;
  return until === 'done'
    ? { type: 'reached' }
    : missed('failed', `${name} has succeeded without being ${until}`);
}

function missed(exit: ExitName, message: string): Ending {
  return { type: 'missed', exit, message };
}

/** The status is about the spec as it stands, not about one before it. */
function isAnswered({ metadata, status }: KubeObject): boolean {
  return (numberAt(status, 'observedGeneration') ?? 0) >= (metadata.generation ?? 0);
}

/** The run that has ended is of another revision, and one of the wanted revision follows. */
function isToBegin(object: KubeObject): boolean {
  const wanted = textAt(object, 'spec', 'revision');
  const ran = textAt(object, 'status', 'revision');
  return wanted !== undefined && wanted !== ran && refusalOf(object) === undefined;
}

/** Why the spec is not followed; undefined where it is. */
function refusalOf({ status }: KubeObject): string | undefined {
  const accepted = listAt(status, 'conditions').find((one) => textAt(one, 'type') === 'Accepted');
  return textAt(accepted, 'status') === 'False' ? textAt(accepted, 'message') : undefined;
}
