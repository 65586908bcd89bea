/** One rollout by name; where there is none, a sentence that says what there is instead. */
import { crdNames, rolloutResource, shortNames } from '#api/names.ts';
import type { KubectlClient, Selection } from '#kube/kubectl-client.ts';
import { ClusterError, type KubeObject } from '#ports/cluster.ts';
import { nearest } from '#runtime/nearest.ts';
import { BadInput, Failure } from './command.ts';

const NAMES_SHOWN_MAX = 8;

const kindWords = [
  rolloutResource.kind.toLowerCase(),
  rolloutResource.plural,
  crdNames.rollout,
  `${rolloutResource.kind.toLowerCase()}.${rolloutResource.group}`,
  ...shortNames.rollout,
];

/** `checkout`, or with its kind before it, as `kubectl get -o name` prints it. */
export function rolloutName(word: string): string {
  const [first = '', ...rest] = word.split('/');
  if (rest.length === 0) return checked(first, word);
  if (rest.length === 1 && kindWords.includes(first.toLowerCase()))
    return checked(rest[0] ?? '', word);
  throw new BadInput([
    `${word} is no GenesisRollout: name one as NAME or ${shortNames.rollout[0]}/NAME`,
  ]);
}

function checked(name: string, word: string): string {
  if (/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)) return name;
  throw new BadInput([
    `${JSON.stringify(word)} is no name of a rollout: lower case letters, digits and -`,
  ]);
}

export async function findRollout(
  client: KubectlClient,
  name: string,
  signal: AbortSignal,
): Promise<KubeObject> {
  const { namespace } = client;
  const found = await client.get(rolloutResource, { namespace, name }, signal);
  if (found !== undefined) return found;
  throw new Failure('notFound', await missingSentences(client, name, signal));
}

/** Where the list is not found either, it is the kind that the API server does not know. */
export async function listRollouts(
  client: KubectlClient,
  selection: Selection,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  try {
    return await client.list(rolloutResource, selection, signal);
  } catch (error) {
    if (!(error instanceof ClusterError) || error.fault !== 'notFound') throw error;
    throw new Failure('notFound', [
      `${client.server} knows no ${rolloutResource.plural}.${rolloutResource.group}: the CRDs are not installed`,
      'install the Helm chart, or `kubectl apply --server-side -f crds/`; or choose another --context',
    ]);
  }
}

async function missingSentences(
  client: KubectlClient,
  name: string,
  signal: AbortSignal,
): Promise<string[]> {
  const { namespace } = client;
  const missing = `there is no rollout ${JSON.stringify(name)} in namespace ${namespace}`;
  const here = await namesIn(client, namespace, signal);
  const guess = nearest(
    name,
    here.map((one) => one.name),
  );
  if (guess !== undefined) return [`${missing}; did you mean ${guess}?`];
  const elsewhere = (await namesIn(client, undefined, signal)).filter((one) => one.name === name);
  if (elsewhere.length > 0) {
    const places = elsewhere.slice(0, NAMES_SHOWN_MAX).map((one) => `-n ${one.namespace}`);
    return [`${missing}; there is one elsewhere: ${places.join(', ')}`];
  }
  if (here.length === 0)
    return [`${missing}, which has none; \`kubectl genesis get -A\` lists all`];
  const shown = here.slice(0, NAMES_SHOWN_MAX).map((one) => one.name);
  const more = here.length > shown.length ? ` and ${here.length - shown.length} more` : '';
  return [`${missing}; there are ${shown.join(', ')}${more}`];
}

/** Who may not list is told no names; that the kind itself is unknown is said all the same. */
async function namesIn(
  client: KubectlClient,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<readonly { readonly name: string; readonly namespace: string }[]> {
  try {
    const objects = await listRollouts(client, { namespace }, signal);
    return objects.map(({ metadata }) => ({
      name: metadata.name,
      namespace: metadata.namespace ?? '',
    }));
  } catch (error) {
    if (error instanceof ClusterError && error.fault === 'forbidden') return [];
    throw error;
  }
}
