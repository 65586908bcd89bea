/** The two CustomResourceDefinitions, as objects. */
import { decisionSpecSchema, decisionStatusSchema } from '#api/decision.ts';
import { limits } from '#api/limits.ts';
import * as names from '#api/names.ts';
import { rolloutSpecSchema } from '#api/rollout.ts';
import { namePattern } from '#api/scalars.ts';
import { rolloutStatusSchema } from '#api/status.ts';
import { type StructuralSchema, toStructural } from './structural.ts';

interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  /** 1: shown with `-o wide` only. */
  readonly priority?: number;
  readonly description: string;
}

const age: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'How long ago it was created.',
};

const condition = (type: string, field: string) =>
  `.status.conditions[?(@.type=="${type}")].${field}`;

const rolloutColumns: readonly Column[] = [
  {
    name: 'Phase',
    type: 'string',
    jsonPath: '.status.phase',
    description: 'Where the run stands.',
  },
  { name: 'Step', type: 'string', jsonPath: '.status.step', description: 'The current step.' },
  {
    name: 'Weight',
    type: 'integer',
    jsonPath: '.status.weight',
    description: "Canary's share of traffic in percent.",
  },
  {
    name: 'Ready',
    type: 'string',
    jsonPath: condition('Ready', 'status'),
    description: 'True once it has succeeded.',
  },
  age,
  {
    name: 'Revision',
    type: 'string',
    jsonPath: '.status.revision',
    priority: 1,
    description: 'What is rolled out.',
  },
  // A string, since kubectl shows a date in the future as <invalid>.
  {
    name: 'Next',
    type: 'string',
    jsonPath: '.status.nextStepAt',
    priority: 1,
    description: 'When the next step is due.',
  },
  {
    name: 'Reason',
    type: 'string',
    jsonPath: condition('Ready', 'reason'),
    priority: 1,
    description: 'Why it is (not) ready.',
  },
];

const decisionColumns: readonly Column[] = [
  {
    name: 'Rollout',
    type: 'string',
    jsonPath: '.spec.rollout',
    description: 'The rollout decided about.',
  },
  {
    name: 'Decision',
    type: 'string',
    jsonPath: '.spec.decision',
    description: 'What was decided.',
  },
  {
    name: 'Step',
    type: 'string',
    jsonPath: '.spec.step',
    description: 'The step or trigger decided about.',
  },
  { name: 'By', type: 'string', jsonPath: '.spec.by', description: 'Who decided.' },
  {
    name: 'Outcome',
    type: 'string',
    jsonPath: '.status.outcome',
    description: 'What became of it.',
  },
  age,
  {
    name: 'Revision',
    type: 'string',
    jsonPath: '.spec.revision',
    priority: 1,
    description: 'The revision decided about.',
  },
  { name: 'Reason', type: 'string', jsonPath: '.spec.reason', priority: 1, description: 'Why.' },
];

export function rolloutCrd() {
  return crd({
    resource: names.rolloutResource,
    shortNames: names.shortNames.rollout,
    columns: rolloutColumns,
    selectable: ['.status.phase', '.spec.revision', '.spec.workload.name'],
    // The name of a rollout is the value of labels.
    name: { type: 'string', maxLength: limits.nameLengthMax, pattern: namePattern.source },
    description:
      'A GenesisRollout moves traffic from stable to canary on a schedule, watches, and rolls back by itself.',
    spec: toStructural(rolloutSpecSchema),
    status: toStructural(rolloutStatusSchema),
  });
}

export function decisionCrd() {
  return crd({
    resource: names.decisionResource,
    shortNames: names.shortNames.decision,
    columns: decisionColumns,
    selectable: ['.spec.rollout'],
    description:
      'A GenesisDecision is what one person decided about the current run of a rollout. It is applied once and kept.',
    spec: toStructural(decisionSpecSchema),
    status: toStructural(decisionStatusSchema),
  });
}

interface CrdParts {
  readonly resource: names.ResourceDescriptor;
  readonly shortNames: readonly string[];
  readonly columns: readonly Column[];
  readonly selectable: readonly string[];
  readonly name?: StructuralSchema;
  readonly description: string;
  readonly spec: StructuralSchema;
  readonly status: StructuralSchema;
}

function crd({ resource, shortNames, columns, selectable, ...parts }: CrdParts) {
  assertLoose(parts.status, 'status');
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${resource.plural}.${resource.group}`,
      annotations: { [names.annotations.schemaVersion]: String(names.schemaVersion) },
    },
    spec: {
      group: resource.group,
      scope: 'Namespaced',
      names: {
        kind: resource.kind,
        listKind: `${resource.kind}List`,
        plural: resource.plural,
        singular: resource.kind.toLowerCase(),
        shortNames: [...shortNames],
        categories: [names.category],
      },
      versions: [
        {
          name: resource.version,
          served: true,
          storage: true,
          subresources: { status: {} },
          selectableFields: selectable.map((jsonPath) => ({ jsonPath })),
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: root(parts) },
        },
      ],
    },
  };
}

/** kstatus takes an object without a status for one that needs none, and so for finished. */
const unseen = { observedGeneration: -1 };

/** No rule may stand at the root: it would see status too, and could refuse a status write. */
function root({
  name,
  description,
  spec,
  status,
}: Omit<CrdParts, 'resource' | 'shortNames' | 'columns' | 'selectable'>) {
  return {
    description,
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', ...(name === undefined ? {} : { properties: { name } }) },
      spec,
      status: { description: 'Written by the operator.', ...status, default: unseen },
    },
  };
}

/** A tightened status would refuse the writes of an operator that is a version apart, `RollingBack` among them. */
function assertLoose(schema: unknown, path: string): void {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (
      /^(enum|pattern|format|min|max|default|x-kubernetes-validations)/.test(key) &&
      !isFieldName(path) &&
      !isIntegerFormat(key, value)
    ) {
      throw new Error(`${path}: a status must not have ${key}`);
    }
    assertLoose(value, `${path}.${key}`);
  }
}

function isFieldName(path: string): boolean {
  return path.endsWith('.properties');
}

function isIntegerFormat(key: string, value: unknown): boolean {
  return key === 'format' && (value === 'int64' || value === 'int32');
}
