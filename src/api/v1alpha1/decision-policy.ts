/**
 * The ValidatingAdmissionPolicy that holds a GenesisDecision to whoever creates it, and its binding: the source of
 * `deploy/decision-policy.yaml`, and what the operator compares the cluster with before it counts an approval.
 */
import type { ResourceDescriptor } from './names.ts';
import { decisionResource, group, rolloutResource } from './names.ts';

const admission = 'admissionregistration.k8s.io';

export const policyResource = {
  group: admission,
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  namespaced: false,
} as const satisfies ResourceDescriptor;

export const policyBindingResource = {
  ...policyResource,
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
} as const satisfies ResourceDescriptor;

/** The policy and its binding have one name. */
export const decisionPolicyName = `decisions.${group}`;

/** A reason of Kubernetes' own: the request is answered with 403. */
const FORBIDDEN = 'Forbidden';

const verb = 'object.spec.decision.lowerAscii()';
const mayDecide = `authorizer.group('${group}').resource('${rolloutResource.plural}').namespace(request.namespace).name(object.spec.rollout).check(${verb}).allowed()`;

const validations = [
  {
    expression: 'has(object.spec.by) && object.spec.by == request.userInfo.username',
    messageExpression: `'spec.by must be your own name, ' + request.userInfo.username + (has(object.spec.by) ? '; it is ' + object.spec.by : '; it is missing')`,
    reason: FORBIDDEN,
  },
  {
    expression: mayDecide,
    messageExpression: `request.userInfo.username + ' may not ' + ${verb} + ' rollout ' + object.spec.rollout + ': a Role must allow the verb ' + ${verb} + ' on ${rolloutResource.plural}.${group}'`,
    reason: FORBIDDEN,
  },
] as const;

/** On CREATE only: the spec cannot be changed afterwards, and the operator writes the status. */
export const decisionPolicy = {
  apiVersion: `${admission}/v1`,
  kind: policyResource.kind,
  metadata: { name: decisionPolicyName },
  spec: {
    failurePolicy: 'Fail',
    matchConstraints: {
      resourceRules: [
        {
          apiGroups: [group],
          apiVersions: ['*'],
          operations: ['CREATE'],
          resources: [decisionResource.plural],
        },
      ],
    },
    validations,
  },
} as const;

export const decisionPolicyBinding = {
  apiVersion: `${admission}/v1`,
  kind: policyBindingResource.kind,
  metadata: { name: decisionPolicyName },
  spec: { policyName: decisionPolicyName, validationActions: ['Deny'] },
} as const;
