/** What Argo CD and Flux make of objects, asked of their own code: `test/gitops/judge`, built by the testbed. */

import { run } from '#scripts/testbed/command.ts';
import { toolPath } from '#scripts/testbed/index.ts';

export interface Opinion {
  readonly argo: { readonly status: string; readonly message: string };
  readonly actions: readonly { readonly name: string; readonly disabled: boolean }[] | null;
  readonly kstatus: { readonly status: string; readonly message: string };
  /** Only where there are expressions for the kind. */
  readonly flux?: { readonly status: string };
}

export interface Teaching {
  /** The data of `argocd-cm`. */
  readonly argocdCm: Readonly<Record<string, string>>;
  /** Entries of `spec.healthCheckExprs` of a Flux Kustomization. */
  readonly healthCheckExprs: readonly object[];
}

/** In the order of the objects. */
export async function judge(
  teaching: Teaching,
  objects: readonly object[],
): Promise<readonly Opinion[]> {
  return JSON.parse(await ask(['objects'], { ...teaching, objects })) as Opinion[];
}

/** The merge patch that argocd-server would send for an action on this object. */
export async function actionPatch(
  { argocdCm }: Pick<Teaching, 'argocdCm'>,
  object: object,
  action: string,
): Promise<object> {
  const answer = JSON.parse(await ask(['action'], { argocdCm, object, action })) as {
    patch: object;
  };
  return answer.patch;
}

export interface TableRow {
  readonly name: string;
  readonly problem: string;
}

/** Runs health_test.yaml and action_test.yaml of a folder laid out as Argo CD's `resource_customizations`. */
export async function runTables(folder: string): Promise<readonly TableRow[]> {
  return JSON.parse(await ask(['tables', folder], {})) as TableRow[];
}

/** As a Flux Kustomization does. @returns what became of each object, by `Kind/namespace/name` */
export async function applyAsFlux(
  kubeconfig: string,
  objects: readonly object[],
): Promise<Readonly<Record<string, string>>> {
  const answer = JSON.parse(await ask(['apply'], { kubeconfig, objects })) as {
    actions: Record<string, string>;
  };
  return answer.actions;
}

async function ask(args: readonly string[], question: object): Promise<string> {
  return await run(await toolPath('gitops-judge'), args, { input: JSON.stringify(question) });
}
