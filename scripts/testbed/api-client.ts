/** A small HTTPS client for the API server: requests, server-side apply of files and objects, and waiting. Independent of the product's own client. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Agent, request } from 'undici';
import { parseAllDocuments } from 'yaml';
import { crdSpec, listAnswer, resourcesAnswer, tokenStatus } from './api-answers.ts';

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface ClusterAddress {
  readonly url: string;
  readonly ca?: string;
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly insecure?: boolean;
}

export interface Answer {
  readonly status: number;
  /** Parsed if it is JSON, else text. */
  readonly body: unknown;
}

export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

interface Resource {
  readonly path: string;
  readonly namespaced: boolean;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const requestWithinMs = 30_000;
const TOO_MANY_REQUESTS = 429;
/** The server's own advice is a second. */
const BUSY_PAUSE_MS = 500;
const fieldManager = 'testbed';

class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly body: unknown;

  constructor(what: string, answer: Answer) {
    const body = answer.body as { message?: unknown } | null;
    const said = typeof body?.message === 'string' ? body.message : JSON.stringify(answer.body);
    super(`${what} was answered with ${answer.status}: ${said}`);
    this.status = answer.status;
    this.body = answer.body;
  }
}

export class ApiClient {
  readonly address: ClusterAddress;
  readonly #agent: Agent;
  readonly #resources = new Map<string, Resource>();

  constructor(address: ClusterAddress) {
    this.address = address;
    const { ca, cert, key, insecure } = address;
    this.#agent = new Agent({
      connections: 8,
      connect: {
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(insecure === true ? { rejectUnauthorized: false } : {}),
      },
    });
  }

  /**
   * One request with whatever answer; `body` is sent as JSON. A server that is busy, as with the storage of a new CRD, has done nothing
   * and is asked again for as long as it takes, within half a minute.
   */
  async send(method: Method, path: string, options: SendOptions = {}): Promise<Answer> {
    const untilMs = performance.now() + requestWithinMs;
    for (;;) {
      const answer = await this.#sendOnce(method, path, options);
      if (answer.status !== TOO_MANY_REQUESTS || performance.now() > untilMs) return answer;
      await sleep(BUSY_PAUSE_MS);
    }
  }

  async #sendOnce(method: Method, path: string, options: SendOptions): Promise<Answer> {
    const deadline = AbortSignal.timeout(requestWithinMs);
    const { statusCode, body } = await request(new URL(path, this.address.url), {
      method,
      dispatcher: this.#agent,
      signal: options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]),
      headers: {
        'user-agent': fieldManager,
        accept: 'application/json',
        ...(this.address.token === undefined
          ? {}
          : { authorization: `Bearer ${this.address.token}` }),
        ...(options.body === undefined
          ? {}
          : { 'content-type': options.contentType ?? 'application/json' }),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const text = await body.text();
    return { status: statusCode, body: parsed(text) };
  }

  /** Server-side apply, as kubectl apply --server-side --force-conflicts. A CRD is waited for until it is Established. */
  async apply(
    object: KubeObject,
    options: { readonly manager?: string } = {},
  ): Promise<KubeObject> {
    const path = await this.pathOf(referenceTo(object));
    const manager = options.manager ?? fieldManager;
    const answer = await this.send('PATCH', `${path}?fieldManager=${manager}&force=true`, {
      contentType: 'application/apply-patch+yaml',
      body: object,
    });
    const applied = okay(`applying ${nameOf(object)}`, answer);
    if (object.kind === 'CustomResourceDefinition') await this.#established(object);
    return applied;
  }

  /** Applies every document of YAML files or folders: CRDs all at once, then the rest in its order. Resolves with what was applied. */
  async applyFiles(...files: readonly string[]): Promise<readonly KubeObject[]> {
    const objects = (await Promise.all(files.map(readManifest))).flat();
    const isCrd = ({ kind }: KubeObject) => kind === 'CustomResourceDefinition';
    const applied = await Promise.all(
      objects.filter(isCrd).map(async (crd) => await this.apply(crd)),
    );
    for (const object of objects.filter((object) => !isCrd(object)))
      applied.push(await this.apply(object));
    return applied;
  }

  async get(reference: ObjectReference): Promise<KubeObject | undefined> {
    const answer = await this.send('GET', await this.pathOf(reference));
    return answer.status === 404
      ? undefined
      : okay(`reading ${reference.kind} ${reference.name}`, answer);
  }

  async list(apiVersion: string, kind: string, namespace?: string): Promise<readonly KubeObject[]> {
    const { path } = await this.#resource(apiVersion, kind, namespace);
    const answer = okay(`listing ${kind}`, await this.send('GET', path));
    const { items } = listAnswer.parse(answer);
    return items.map((item) => ({ ...item, apiVersion, kind }));
  }

  /** Merge patch, also of a subresource such as `status`. */
  async patch(reference: ObjectReference, patch: object, subresource = ''): Promise<KubeObject> {
    const path = await this.pathOf(reference);
    const answer = await this.send('PATCH', subresource === '' ? path : `${path}/${subresource}`, {
      contentType: 'application/merge-patch+json',
      body: patch,
    });
    return okay(`patching ${reference.kind} ${reference.name}`, answer);
  }

  /** An object that is not there is deleted already. */
  async delete(reference: ObjectReference): Promise<void> {
    const answer = await this.send('DELETE', await this.pathOf(reference));
    if (answer.status !== 404) okay(`deleting ${reference.kind} ${reference.name}`, answer);
  }

  /** Polls until the object is as wanted; fails with the object as it last was. */
  async waitFor(
    reference: ObjectReference,
    isWanted: (object: KubeObject) => boolean,
    withinMs = 20_000,
  ): Promise<KubeObject> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const object = await this.get(reference);
      if (object !== undefined && isWanted(object)) return object;
      if (performance.now() > deadline) {
        const { kind, name } = reference;
        throw new Error(
          `${kind} ${name} did not become as wanted in ${withinMs} ms: ${JSON.stringify(object, null, 1)}`,
        );
      }
      await sleep(50);
    }
  }

  /** A short-lived token of a ServiceAccount (TokenRequest), to act as a chart's or a policy's own identity. */
  async serviceAccountToken(
    namespace: string,
    name: string,
    expirationSeconds = 3600,
  ): Promise<string> {
    const answer = await this.send(
      'POST',
      `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
      {
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { expirationSeconds },
        },
      },
    );
    const { status } = okay(`asking for a token of ServiceAccount ${namespace}/${name}`, answer);
    return tokenStatus.parse(status).token;
  }

  /** The object's path on the API server. */
  async pathOf(reference: ObjectReference): Promise<string> {
    const { apiVersion, kind, namespace, name } = reference;
    const resource = await this.#resource(apiVersion, kind, namespace);
    return `${resource.path}/${name}`;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #resource(
    apiVersion: string,
    kind: string,
    namespace: string | undefined,
  ): Promise<Resource> {
    const key = `${apiVersion} ${kind}`;
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    let known = this.#resources.get(key);
    if (known === undefined) {
      const answer = await this.send('GET', base);
      const said = okay(`asking which kinds ${apiVersion} has`, answer);
      const { resources } = resourcesAnswer.parse(said);
      const found = resources.find((entry) => entry.kind === kind && !entry.name.includes('/'));
      if (found === undefined)
        throw new Error(`the API server has no ${kind} in ${apiVersion}; is its CRD applied?`);
      known = { path: found.name, namespaced: found.namespaced };
      this.#resources.set(key, known);
    }
    const scope = known.namespaced ? `/namespaces/${namespace ?? 'default'}` : '';
    return { ...known, path: `${base}${scope}/${known.path}` };
  }

  /** Established is set before discovery shows the kind, so both are waited for. */
  async #established(crd: KubeObject): Promise<void> {
    await this.waitFor(referenceTo(crd), (object) => conditionIs(object, 'Established', 'True'));
    const { group, versions, names } = crdSpec.parse(crd['spec']);
    for (const { name, served } of versions) {
      if (served) await this.#discovered(`${group}/${name}`, names.kind);
    }
  }

  async #discovered(apiVersion: string, kind: string): Promise<void> {
    const deadline = performance.now() + 10_000;
    for (;;) {
      const { status, body } = await this.send('GET', `/apis/${apiVersion}`);
      const { resources } = status === 200 ? resourcesAnswer.parse(body) : { resources: [] };
      if (resources.some((resource) => resource.kind === kind)) return;
      if (performance.now() > deadline)
        throw new Error(`${kind} of ${apiVersion} is not served 10 s after its CRD was applied`);
      await sleep(50);
    }
  }
}

interface SendOptions {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

export function conditionIs(object: KubeObject, type: string, status: string): boolean {
  const { conditions } = (object['status'] ?? {}) as { conditions?: readonly Condition[] | null };
  return (conditions ?? []).some(
    (condition) => condition.type === type && condition.status === status,
  );
}

interface Condition {
  readonly type: string;
  readonly status: string;
}

/** All objects of a YAML file, or of a folder's YAML files in the order of their names. */
export async function readManifest(path: string): Promise<readonly KubeObject[]> {
  if ((await stat(path)).isDirectory()) {
    const names = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name)).sort();
    return (
      await Promise.all(names.map(async (name) => await readManifest(join(path, name))))
    ).flat();
  }
  const documents = parseAllDocuments(await readFile(path, 'utf8'));
  return documents
    .map((document) => document.toJS() as KubeObject)
    .filter((object) => object !== null);
}

function referenceTo(object: KubeObject): ObjectReference {
  const { namespace, name } = object.metadata;
  const { apiVersion, kind } = object;
  return namespace === undefined
    ? { apiVersion, kind, name }
    : { apiVersion, kind, namespace, name };
}

function nameOf({ kind, metadata }: KubeObject): string {
  return metadata.namespace === undefined
    ? `${kind} ${metadata.name}`
    : `${kind} ${metadata.namespace}/${metadata.name}`;
}

function okay(what: string, answer: Answer): KubeObject {
  if (answer.status >= 300) throw new ApiError(what, answer);
  return answer.body as KubeObject;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
