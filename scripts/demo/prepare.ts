/** What must be there before anything starts: a machine that can run it, the tools, the controller's bundle. Inside the network namespace nothing can be fetched. */
import { run } from '#scripts/testbed/command.ts';
import {
  prepareGateway,
  runInNamespace,
  type ToolName,
  toolPath,
  tools,
} from '#scripts/testbed/index.ts';
import { buildController } from './controller.ts';

export interface PrepareOptions {
  readonly say: (sentence: string) => void;
  readonly signal: AbortSignal;
}

/** In the order of building, with what a build took on two cores with nothing in Go's own caches. */
const needed = {
  etcd: '1 min',
  'kube-apiserver': '4 min',
  contour: '2 min',
  envoy: 'a download of 100 MB',
  prometheus: '3 min',
  promtool: '10 s',
} as const satisfies Partial<Record<ToolName, string>>;

/** Whoever has built for minutes should not learn only then that something is missing. */
const systemTools = [
  ['setpriv', '--version', 'util-linux'],
  ['flock', '--version', 'util-linux'],
  ['unshare', '--version', 'util-linux'],
  ['ip', '-V', 'iproute2'],
] as const;

export async function prepareLocal({ say, signal }: PrepareOptions): Promise<void> {
  if (process.platform !== 'linux') {
    throw new Error(
      `the demo needs Linux for its network namespace, and this is ${process.platform}; on a cluster of your own it runs with --kubeconfig`,
    );
  }
  for (const [tool, flag, origin] of systemTools) {
    await run(tool, [flag]).catch((error: unknown) => {
      throw new Error(`the demo needs \`${tool}\` (package ${origin}), and it is not there`, {
        cause: error,
      });
    });
  }
  const code = await runInNamespace(['true']);
  if (code !== 0) throw new Error(`a network namespace cannot be made here (code ${code})`);
  await buildTools({ say, signal });
  await buildController(signal);
}

async function buildTools({ say, signal }: PrepareOptions): Promise<void> {
  const names = Object.keys(needed) as (keyof typeof needed)[];
  let isFirst = true;
  for (const [index, name] of names.entries()) {
    const clock = progress(say);
    const tell = (sentence: string) => {
      if (isFirst) {
        say(
          'some parts are not there yet and are built from source now, once; with two cores that takes 10 to 20 minutes in all',
        );
      }
      isFirst = false;
      say(`[${index + 1}/${names.length}] ${sentence}`);
      clock.name(`${name} ${tools[name].version}, about ${needed[name]}`);
    };
    try {
      await toolPath(name, { say: tell, signal });
    } finally {
      clock.stop();
    }
  }
  await prepareGateway({ say, signal });
}

const sayAgainAfterMs = 30_000;

/** A sign of life during a long build. */
function progress(say: (sentence: string) => void) {
  let timer: NodeJS.Timeout | undefined;
  let seconds = 0;
  return {
    name: (what: string) => {
      timer ??= setInterval(() => {
        seconds += sayAgainAfterMs / 1_000;
        say(`  still at ${what}: ${seconds} s so far`);
      }, sayAgainAfterMs);
    },
    stop: () => clearInterval(timer),
  };
}
