/** KWOK plays the kubelet of one node: pods become Ready, or fail in the way that their label asks for, without any container. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parse, stringify } from 'yaml';

import { type ApiClient, conditionIs } from './api-client.ts';
import { type BuildOptions, toolPath } from './build.ts';
import { kwokStages } from './manifests.ts';
import { type Part, startPart, withFreePorts } from './part.ts';

export const kwokNode = 'kwok';

/** A pod with this label does not become Ready: `crash-loop`, `image-pull-back-off` or `unready`. */
export const podFateLabel = 'genesis-testbed/pod';

interface KwokOptions extends BuildOptions {
  readonly runFolder: string;
  readonly client: ApiClient;
  kubeconfigFor(user: string): Promise<string>;
}

/** Resolves when the node is Ready, which shows that KWOK acts. */
export async function startKwok(options: KwokOptions): Promise<Part> {
  const { client, runFolder } = options;
  const config = await writeConfig(runFolder, await kwokStages(options));
  const kubeconfig = await options.kubeconfigFor('testbed-kwok');
  await client.apply(node);
  for (const object of assignment) {
    await client.apply(object).catch((error: unknown) => {
      throw new Error(
        'pods get their node from a MutatingAdmissionPolicy, which Kubernetes has since 1.36; ' +
          'if KUBEBUILDER_ASSETS names an older API server, unset it',
        { cause: error },
      );
    });
  }
  return await withFreePorts(1, async ([port = 0]) =>
    startPart({
      name: 'kwok',
      command: await toolPath('kwok', options),
      args: [
        `--kubeconfig=${kubeconfig}`,
        `--config=${config}`,
        '--manage-all-nodes=true',
        '--node-lease-duration-seconds=0',
        `--server-address=127.0.0.1:${port}`,
      ],
      runFolder,
      isReady: async () => (await nodeIsReady(client)) && (await podsGetTheNode(client)),
      hint: 'Is another program managing the node `kwok`, or are the stages of another KWOK version?',
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    }),
  );
}

async function nodeIsReady(client: ApiClient): Promise<boolean> {
  const object = await client.get({ apiVersion: 'v1', kind: 'Node', name: kwokNode });
  return object !== undefined && conditionIs(object, 'Ready', 'True');
}

/** An admission policy takes effect some time after it was written; a pod made before that would never get a node. */
async function podsGetTheNode(client: ApiClient): Promise<boolean> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'probe-' },
    spec: { containers: [{ name: 'probe', image: 'probe' }] },
  };
  const path = '/api/v1/namespaces/default/pods?dryRun=All';
  const { status, body } = await client.send('POST', path, { body: pod });
  return status === 201 && (body as { spec: { nodeName?: string } }).spec.nodeName === kwokNode;
}

async function writeConfig(runFolder: string, files: readonly string[]): Promise<string> {
  const stages = await Promise.all(
    files.map(async (file) => parse(await readFile(file, 'utf8')) as Stage),
  );
  const ready = stages.map((stage) =>
    stage.metadata.name === 'pod-ready' ? onlyWithoutFate(stage) : stage,
  );
  const fates = [
    fate('crash-loop', crashing, waitingIsNot('CrashLoopBackOff')),
    fate('image-pull-back-off', waitingForImage, waitingIsNot('ImagePullBackOff')),
    fate('unready', unready, { key: readyCondition, operator: 'NotIn', values: ['False'] }),
  ];
  const all = [...ready, ...fates];
  const file = join(runFolder, 'kwok.yaml');
  await writeFile(file, all.map((stage) => stringify(stage)).join('---\n'));
  return file;
}

interface Stage {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector: { readonly matchExpressions: readonly object[] };
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

const fateOf = `.metadata.labels["${podFateLabel}"]`;

const readyCondition = '.status.conditions.[] | select( .type == "Ready" ) | .status';

function waitingIsNot(reason: string): object {
  return {
    key: '.status.containerStatuses.[].state.waiting.reason',
    operator: 'NotIn',
    values: [reason],
  };
}

function onlyWithoutFate(stage: Stage): Stage {
  const matchExpressions = [
    ...stage.spec.selector.matchExpressions,
    { key: fateOf, operator: 'DoesNotExist' },
  ];
  return { ...stage, spec: { ...stage.spec, selector: { matchExpressions } } };
}

/** A pod with this label gets the given container status once, new or long Ready, and stays there. */
function fate(name: string, containerStatus: string, until: object): Stage {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name: `pod-${name}` },
    spec: {
      resourceRef: { apiGroup: 'v1', kind: 'Pod' },
      selector: {
        matchExpressions: [
          { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' },
          { key: fateOf, operator: 'In', values: [name] },
          until,
        ],
      },
      next: { statusTemplate: statusTemplate(containerStatus) },
    },
  };
}

function statusTemplate(containerStatus: string): string {
  return `
{{ $now := Now }}
conditions:
- { type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }} }
- { type: Ready, status: "False", reason: ContainersNotReady, lastTransitionTime: {{ $now | Quote }} }
- { type: ContainersReady, status: "False", reason: ContainersNotReady, lastTransitionTime: {{ $now | Quote }} }
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
${containerStatus}
{{ end }}
phase: ${containerStatus === waitingForImage ? 'Pending' : 'Running'}
startTime: {{ $now | Quote }}
podIP: {{ PodIPWith .spec.nodeName false ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) | Quote }}
`;
}

const crashing = `
  restartCount: 5
  started: false
  state:
    waiting: { reason: CrashLoopBackOff, message: "back-off 2m40s restarting failed container" }
  lastState:
    terminated: { exitCode: 1, reason: Error, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} }`;

const waitingForImage = `
  restartCount: 0
  started: false
  state:
    waiting: { reason: ImagePullBackOff, message: "Back-off pulling image" }`;

const unready = `
  restartCount: 0
  started: true
  state:
    running: { startedAt: {{ $now | Quote }} }`;

const node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: kwokNode,
    annotations: { 'kwok.x-k8s.io/node': 'fake' },
    labels: { type: 'kwok', 'kubernetes.io/hostname': kwokNode, 'kubernetes.io/os': 'linux' },
  },
};

/** In place of a scheduler: every pod that names no node is created on ours (a policy needs no process of its own). */
const assignment = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name: 'testbed-node' },
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
        ],
      },
      matchConditions: [
        { name: 'names-no-node', expression: '!has(object.spec.nodeName)' },
        {
          name: 'default-scheduler',
          expression:
            "!has(object.spec.schedulerName) || object.spec.schedulerName == 'default-scheduler'",
        },
      ],
      failurePolicy: 'Fail',
      reinvocationPolicy: 'IfNeeded',
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: `Object{spec: Object.spec{nodeName: '${kwokNode}'}}` },
        },
      ],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name: 'testbed-node' },
    spec: { policyName: 'testbed-node' },
  },
];
