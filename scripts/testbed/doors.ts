/**
 * Doors into the network namespace, for a person with kubectl, a browser or curl. TCP does not cross the border of a
 * namespace, but a Unix socket in a folder does: outside a port leads to the socket, inside the socket leads to the server.
 */
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const names = ['api-server', 'prometheus', 'gateway'] as const;
type Door = (typeof names)[number];

export interface OuterDoors {
  /** To be told to the program inside. */
  readonly folder: string;
  close(): Promise<void>;
}

export interface InnerDoors {
  /** For use outside; the URL of what is not inside leads nowhere. */
  readonly kubeconfigPath: string;
  readonly prometheusUrl: string;
  readonly gatewayUrl: string;
  close(): Promise<void>;
}

const portsFile = 'ports.json';

/** Opens a port outside for each door. What is behind it comes later, from inside. */
export async function openOuterDoors(): Promise<OuterDoors> {
  const folder = await mkdtemp(join(tmpdir(), 'genesis-doors-'));
  const relays = names.map((name) => relay(() => connect(join(folder, name))));
  const ports: Record<string, number> = {};
  for (const [index, { server }] of relays.entries()) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports[names[index] ?? ''] = (server.address() as AddressInfo).port;
  }
  await writeFile(join(folder, portsFile), JSON.stringify(ports));
  return {
    folder,
    close: async () => {
      await Promise.all(relays.map(async (one) => await one.close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface Behind {
  readonly kubeconfigPath: string;
  readonly apiServerUrl: string;
  readonly prometheusUrl: string | undefined;
  readonly gatewayUrl: string | undefined;
}

/** Connects the doors of `folder` with what is inside. */
export async function openInnerDoors(folder: string, behind: Behind): Promise<InnerDoors> {
  const targets: Readonly<Record<Door, string | undefined>> = {
    'api-server': behind.apiServerUrl,
    prometheus: behind.prometheusUrl,
    gateway: behind.gatewayUrl,
  };
  const relays: Relay[] = [];
  for (const name of names) {
    const target = targets[name];
    if (target === undefined) continue;
    const { port, hostname } = new URL(target);
    const one = relay(() => connect(Number(port), hostname));
    relays.push(one);
    one.server.listen(join(folder, name));
    await once(one.server, 'listening');
  }
  const ports = JSON.parse(await readFile(join(folder, portsFile), 'utf8')) as Record<Door, number>;
  const outside = (name: Door) => {
    const { protocol, hostname } = new URL(targets[name] ?? 'http://127.0.0.1');
    // A certificate that names localhost does so on both sides.
    return `${protocol}//${hostname === 'localhost' ? hostname : '127.0.0.1'}:${ports[name]}`;
  };
  const kubeconfigPath = join(folder, 'kubeconfig');
  const inside = await readFile(behind.kubeconfigPath, 'utf8');
  await writeFile(kubeconfigPath, inside.replaceAll(behind.apiServerUrl, outside('api-server')), {
    mode: 0o600,
  });
  return {
    kubeconfigPath,
    prometheusUrl: outside('prometheus'),
    gatewayUrl: outside('gateway'),
    close: async () => {
      await Promise.all(relays.map(async (one) => await one.close()));
    },
  };
}

interface Relay {
  readonly server: Server;
  close(): Promise<void>;
}

/** Passes bytes both ways. A side that ends or breaks ends the other. */
function relay(reach: () => Socket): Relay {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = reach();
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  return {
    server,
    close: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      for (const socket of open) socket.destroy();
      await promise;
    },
  };
}
