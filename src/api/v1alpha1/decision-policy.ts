/**
 * The ValidatingAdmissionPolicy that holds a GenesisDecision to whoever creates it, and its binding: the source of
 * `deploy/cluster/admission-policies.yaml`, and what the operator compares the cluster with before it counts an approval.
 */
import { bindingOf, policyOf } from './admission-policy.ts';
import { decisionResource, group, rolloutResource } from './names.ts';

export const decisionPolicyName = `decisions.${group}`;

const verb = 'object.spec.decision.lowerAscii()';
const mayDecide = `authorizer.group('${group}').resource('${rolloutResource.plural}').namespace(request.namespace).name(object.spec.rollout).check(${verb}).allowed()`;

/** On CREATE only: the spec cannot be changed afterwards, and the operator writes the status. */
export const decisionPolicy = policyOf({
  name: decisionPolicyName,
  resource: decisionResource,
  operations: ['CREATE'],
  validations: [
    {
      expression: 'has(object.spec.by) && object.spec.by == request.userInfo.username',
      messageExpression: `'spec.by must be your own name, ' + request.userInfo.username + (has(object.spec.by) ? '; it is ' + object.spec.by : '; it is missing')`,
    },
    {
      expression: mayDecide,
      messageExpression: `request.userInfo.username + ' may not ' + ${verb} + ' rollout ' + object.spec.rollout + ': a Role must allow the verb ' + ${verb} + ' on ${rolloutResource.plural}.${group}'`,
    },
  ],
});

export const decisionPolicyBinding = bindingOf(decisionPolicyName);
