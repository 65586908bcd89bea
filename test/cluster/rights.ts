/** Rights as a list of what may be done, and as a list of what was done, to compare one with the other. */
import { z } from 'zod';
import {
  type AuditEvent,
  type ControlPlane,
  type KubeObject,
  readAudit,
} from '#scripts/testbed/index.ts';

/** `patch genesisrollouts.genesis.dev/status`, with the object's name where a rule names it. */
export type Right = string;

const ruleSchema = z.object({
  apiGroups: z.array(z.string()),
  resources: z.array(z.string()),
  verbs: z.array(z.string()),
  resourceNames: z.array(z.string()).optional(),
});

/** One line for each verb on each resource that the roles give. */
export function granted(roles: readonly KubeObject[]): readonly Right[] {
  const rules = roles.flatMap((role) => z.array(ruleSchema).parse(role['rules']));
  return unique(
    rules.flatMap(({ apiGroups, resources, verbs, resourceNames }) =>
      verbs.flatMap((verb) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) =>
            (resourceNames ?? ['']).map((name) => written(verb, resource, group, name)),
          ),
        ),
      ),
    ),
  );
}

export interface Used {
  readonly rights: readonly Right[];
  /** Requests that were answered with 403. */
  readonly forbidden: readonly string[];
}

/** @param named rights that are given for one name only, so that they are written alike */
export async function usedBy(
  user: string,
  auditLogPath: string,
  named: readonly Right[],
  since?: Date,
): Promise<Used> {
  const events = (await readAudit(auditLogPath, since)).filter(
    (event) => event.user.username === user && event.objectRef?.resource !== undefined,
  );
  return {
    rights: unique(events.map((event) => rightOf(event, named))),
    forbidden: unique(
      events
        .filter(({ responseStatus }) => responseStatus?.code === 403)
        .map(({ verb, requestURI }) => `${verb} ${requestURI}`),
    ),
  };
}

export interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace: string;
}

/** As `kubectl auth can-i VERB RESOURCE --as USER` asks. */
export async function mayUser(
  { client }: ControlPlane,
  user: string,
  resourceAttributes: Attributes,
): Promise<boolean> {
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  const apiVersion = 'authorization.k8s.io/v1';
  const spec = { user, resourceAttributes };
  const { body } = await client.send('POST', path, {
    body: { apiVersion, kind: 'SubjectAccessReview', spec },
  });
  return z.object({ status: z.object({ allowed: z.boolean() }) }).parse(body).status.allowed;
}

function rightOf({ verb, objectRef = {} }: AuditEvent, named: readonly Right[]): Right {
  const { resource = '', subresource, apiGroup = '', name = '' } = objectRef;
  const whole = subresource === undefined ? resource : `${resource}/${subresource}`;
  const withName = written(verb, whole, apiGroup, name);
  return named.includes(withName) ? withName : written(verb, whole, apiGroup, '');
}

function written(verb: string, resource: string, group: string, name: string): Right {
  const [main = '', sub] = resource.split('/');
  const kind = `${main}${group === '' ? '' : `.${group}`}${sub === undefined ? '' : `/${sub}`}`;
  return `${verb} ${kind}${name === '' ? '' : ` ${name}`}`;
}

function unique(all: readonly string[]): readonly string[] {
  return [...new Set(all)].toSorted();
}
