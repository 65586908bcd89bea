/** The end-to-end tests, which only root may run: what they need is made first, since nothing can be fetched where most of them take place. */
import { buildImages } from '#scripts/images/images.ts';
import { emulatorPath } from '#scripts/images/other-node.ts';
import { prepareGateway } from '#scripts/testbed/gateway.ts';
import { namespaceLaunch } from '#scripts/testbed/namespace.ts';
import { prepareNode } from '#scripts/testbed/node/node.ts';
import { ensurePackages } from '#scripts/testbed/packages.ts';
import type { Stage } from './stage.ts';

/** What is wrong here, if they cannot be run at all. */
export function e2eRefusal(): string | undefined {
  if (process.getuid?.() === 0) return undefined;
  return 'the end-to-end tests run containers and a kubelet, for which they must be run as root';
}

/** The second one takes place in a node's namespace; the first looks at one from outside. */
export function e2eStages(filesOf: (pattern: string) => readonly string[]): readonly Stage[] {
  const common = { isolation: 'process', filesAtOnce: 1, testMaxMs: 600_000 } as const;
  return [
    { ...common, name: 'e2e-outside', files: filesOf('test/e2e/outside/*.test.ts') },
    {
      ...common,
      name: 'e2e',
      files: filesOf('test/e2e/*.test.ts'),
      launch: namespaceLaunch({ node: true }),
    },
  ];
}

/** Packages, tools and images. Resolves with what is wrong, if anything. */
export async function prepareE2e(): Promise<string | undefined> {
  const say = (sentence: string): void => console.log(`test: ${sentence}`);
  try {
    await ensurePackages(['podman', 'buildah'], { say });
    await prepareNode({ say });
    await prepareGateway({ say });
    await buildImages({ say });
    await emulatorPath({ say });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
