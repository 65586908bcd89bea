/**
 * The ValidatingAdmissionPolicy that keeps the annotation genesis.dev/author honest where a step says `notBy: Author`:
 * an edit names whoever makes it, unless that is a program which may apply the changes of others (verb `author`).
 */
import { bindingOf, policyOf } from './admission-policy.ts';
import { annotations, group, rolloutResource } from './names.ts';

const authorPolicyName = `authors.${group}`;

function authorOf(object: string): string {
  const key = `'${annotations.author}'`;
  return `(has(${object}.metadata.annotations) && ${key} in ${object}.metadata.annotations ? ${object}.metadata.annotations[${key}] : '')`;
}

const mayNameOthers = `authorizer.group('${group}').resource('${rolloutResource.plural}').namespace(request.namespace).name(request.name).check('author').allowed()`;

export const authorPolicy = policyOf({
  name: authorPolicyName,
  resource: rolloutResource,
  operations: ['CREATE', 'UPDATE'],
  matchConditions: [
    {
      name: 'somebody-else-approves',
      expression:
        'has(object.spec.schedule) && object.spec.schedule.steps.exists(s, has(s.approval) && has(s.approval.notBy))',
    },
    {
      name: 'the-change-is-new',
      expression: `oldObject == null || oldObject.spec != object.spec || ${authorOf('oldObject')} != ${authorOf('object')}`,
    },
  ],
  validations: [
    {
      expression: `${authorOf('object')} == request.userInfo.username || ${mayNameOthers}`,
      messageExpression: `'a step of this rollout wants approval by somebody else than the author (notBy: Author): annotate it with ${annotations.author}: ' + request.userInfo.username`,
    },
  ],
});

export const authorPolicyBinding = bindingOf(authorPolicyName);
