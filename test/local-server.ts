/** An HTTP server of a test, at a free port of this machine. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { z } from 'zod';

const address = z.object({ port: z.number() });

export interface LocalServer {
  readonly port: number;
  readonly url: string;
  /** Cuts the connections that are open, too. */
  readonly stop: () => void;
}

export async function listenLocally(server: Server): Promise<LocalServer> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = address.parse(server.address());
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
