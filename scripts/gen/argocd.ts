/**
 * What Argo CD is taught about our kinds: the ConfigMap made of the Lua scripts, and the scripts' test data and tables, made
 * by the engine itself. The layout is that of Argo CD's own `resource_customizations`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { annotations, group } from '#api/names.ts';
import { type RequestVerb, requestVerbs } from '#core/requests.ts';
import { decisionObject, decisionStates } from '#test/gitops/decision-states.ts';
import {
  healthMessage,
  possibleVerbs,
  type RolloutState,
  rolloutStates,
} from '#test/gitops/rollout-states.ts';

const folder = `deploy/argocd/resource_customizations/${group}`;
const root = join(import.meta.dirname, '..', '..');

/** As discovery.lua names them. */
const buttons: Readonly<Record<RequestVerb, { displayName: string; iconClass: string }>> = {
  pause: { displayName: 'Pause', iconClass: 'fa fa-fw fa-pause' },
  resume: { displayName: 'Resume', iconClass: 'fa fa-fw fa-play' },
  promote: {
    displayName: 'Promote: end the waiting of this step',
    iconClass: 'fa fa-fw fa-step-forward',
  },
  abort: { displayName: 'Abort: roll back', iconClass: 'fa fa-fw fa-undo' },
  retry: { displayName: 'Retry: start again', iconClass: 'fa fa-fw fa-redo' },
};

export interface TextFile {
  readonly path: string;
  readonly text: () => string;
}

export const argocdFiles: readonly TextFile[] = [
  { path: 'deploy/argocd/argocd-cm.yaml', text: configMap },
  ...rolloutStates.map((state) => ({
    path: `${folder}/GenesisRollout/testdata/${state.name}.yaml`,
    text: () => yaml(state.reach().object()),
  })),
  { path: `${folder}/GenesisRollout/health_test.yaml`, text: rolloutHealthTest },
  { path: `${folder}/GenesisRollout/actions/action_test.yaml`, text: actionTest },
  ...requestVerbs.map((verb) => ({
    path: `${folder}/GenesisRollout/actions/testdata/${verb}_requested.yaml`,
    text: () => requested(verb),
  })),
  ...decisionStates.map((state) => ({
    path: `${folder}/GenesisDecision/testdata/${state.name}.yaml`,
    text: () => yaml(decisionObject(state)),
  })),
  { path: `${folder}/GenesisDecision/health_test.yaml`, text: decisionHealthTest },
];

function configMap(): string {
  const rollout = `${group}_GenesisRollout`;
  const actions = {
    'discovery.lua': script('GenesisRollout/actions/discovery.lua'),
    definitions: requestVerbs.map((name) => ({
      name,
      'action.lua': script(`GenesisRollout/actions/${name}/action.lua`),
    })),
  };
  return yaml({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'argocd-cm',
      namespace: 'argocd',
      labels: { 'app.kubernetes.io/name': 'argocd-cm', 'app.kubernetes.io/part-of': 'argocd' },
    },
    data: {
      [`resource.customizations.health.${rollout}`]: script('GenesisRollout/health.lua'),
      [`resource.customizations.actions.${rollout}`]: stringify(actions, { lineWidth: 0 }),
      [`resource.customizations.health.${group}_GenesisDecision`]: script(
        'GenesisDecision/health.lua',
      ),
    },
  });
}

function rolloutHealthTest(): string {
  return yaml({
    tests: rolloutStates.map((state) => ({
      healthStatus: {
        status: state.health,
        message: healthMessage(state),
      },
      inputPath: `testdata/${state.name}.yaml`,
    })),
  });
}

function decisionHealthTest(): string {
  return yaml({
    tests: decisionStates.map((state) => {
      const { status } = decisionObject(state);
      const message = 'message' in status ? status.message : 'waiting for the operator to apply it';
      return {
        healthStatus: { status: state.health, message },
        inputPath: `testdata/${state.name}.yaml`,
      };
    }),
  });
}

/** An action is offered where the operator would do what it asks for. */
function actionTest(): string {
  return yaml({
    discoveryTests: rolloutStates.map((state) => {
      const possible = possibleVerbs(state);
      const result = requestVerbs.map((name) => ({
        name,
        disabled: !possible.includes(name),
        ...buttons[name],
      }));
      return { inputPath: inputPath(state), result };
    }),
    actionTests: requestVerbs.map((action) => ({
      action,
      inputPath: inputPath(stateFor(action)),
      expectedOutputPath: `testdata/${action}_requested.yaml`,
    })),
  });
}

function requested(verb: RequestVerb): string {
  const { apiVersion, kind, metadata, ...rest } = stateFor(verb).reach().object();
  const request = { [annotations.request]: `${verb} argocd-${metadata.resourceVersion}` };
  return yaml({ apiVersion, kind, metadata: { ...metadata, annotations: request }, ...rest });
}

/** One in which the operator would do it. */
function stateFor(verb: RequestVerb): RolloutState {
  const name =
    verb === 'resume' ? 'paused_by_person' : verb === 'retry' ? 'aborted' : 'waiting_for_step';
  const state = rolloutStates.find((one) => one.name === name);
  if (state === undefined || !possibleVerbs(state).includes(verb)) {
    throw new Error(`it is not possible to ${verb} a rollout in state ${name}`);
  }
  return state;
}

function inputPath({ name }: RolloutState): string {
  return `../testdata/${name}.yaml`;
}

function script(path: string): string {
  return readFileSync(join(root, folder, path), 'utf8');
}

function yaml(object: object): string {
  const header = '# Generated by `npm run gen`: the engine wrote it. Do not edit.\n';
  return header + stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });
}
