/** Sees every route change as every client would, by a watch of its own, and notes when canary reached a weight. */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';
import type { ControlPlane } from '#scripts/testbed/index.ts';
import { NAMESPACE } from './world.ts';

export interface RouteWatch {
  /** Canary's weight by route name. */
  readonly weights: ReadonlyMap<string, number>;
  /** Wall-clock ms at which canary's weight last became what it is now. */
  readonly changedAtMs: ReadonlyMap<string, number>;
  stop(): void;
}

interface RouteEvent {
  readonly type: string;
  readonly object: {
    readonly metadata: { readonly name: string };
    readonly spec: {
      readonly rules: readonly { readonly backendRefs: readonly { weight: number }[] }[];
    };
  };
}

export async function watchRoutes(plane: ControlPlane): Promise<RouteWatch> {
  const weights = new Map<string, number>();
  const changedAtMs = new Map<string, number>();
  const dispatcher = new Agent({
    connect: { ca: await readFile(plane.caFile, 'utf8') },
    bodyTimeout: 0,
  });
  const path = `/apis/gateway.networking.k8s.io/v1/namespaces/${NAMESPACE}/httproutes?watch=1&timeoutSeconds=3600`;
  const answer = await request(`${plane.url}${path}`, {
    dispatcher,
    headers: { authorization: `Bearer ${plane.tokens['admin']}`, 'user-agent': 'bench-watch' },
  });
  const read = async () => {
    let rest = '';
    for await (const chunk of answer.body) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) note(JSON.parse(line) as RouteEvent);
    }
  };
  const note = ({ object }: RouteEvent) => {
    const weight = object.spec.rules[0]?.backendRefs[1]?.weight ?? 0;
    if (weights.get(object.metadata.name) === weight) return;
    weights.set(object.metadata.name, weight);
    changedAtMs.set(object.metadata.name, Date.now());
  };
  read().catch(() => undefined);
  return { weights, changedAtMs, stop: () => void dispatcher.destroy() };
}
