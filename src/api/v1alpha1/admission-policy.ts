/** What the admission policies of ours have in common: each refuses writes of one of our kinds, and is bound by its own name. */
import { group, type ResourceDescriptor } from './names.ts';

export const policyResource = {
  group: 'admissionregistration.k8s.io',
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

const apiVersion = `${policyResource.group}/${policyResource.version}`;

/** A reason of Kubernetes' own: the request is answered with 403. */
const FORBIDDEN = 'Forbidden';

/** In CEL. */
interface Condition {
  readonly name: string;
  readonly expression: string;
}

/** In CEL; a request that fails it is refused. */
interface Validation {
  readonly expression: string;
  readonly messageExpression: string;
}

export interface PolicyInput {
  readonly name: string;
  readonly resource: ResourceDescriptor;
  readonly operations: readonly ('CREATE' | 'UPDATE')[];
  /** Only requests for which all of them hold are looked at. Default: all requests. */
  readonly matchConditions?: readonly Condition[];
  readonly validations: readonly Validation[];
}

/** Where the policy itself fails, the request is refused too. */
export function policyOf({
  name,
  resource,
  operations,
  matchConditions,
  validations,
}: PolicyInput) {
  return {
    apiVersion,
    kind: policyResource.kind,
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: [group],
            apiVersions: ['*'],
            operations,
            resources: [resource.plural],
          },
        ],
      },
      ...(matchConditions === undefined ? {} : { matchConditions }),
      validations: validations.map((one) => ({ ...one, reason: FORBIDDEN })),
    },
  };
}

/** The policy and its binding have one name. */
export function bindingOf(name: string) {
  return {
    apiVersion,
    kind: policyBindingResource.kind,
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  };
}
