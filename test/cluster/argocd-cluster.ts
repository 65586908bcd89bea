/** Runs inside the testbed's network namespace: the scenes of Argo CD. Prints what was seen as JSON. */
import { isInNamespace, runInNamespace } from '#scripts/testbed/index.ts';
import { play } from '../argocd/scenes.ts';
import { startArgocdWorld } from '../argocd/world.ts';

if (!isInNamespace()) {
  process.exit(await runInNamespace([process.execPath, ...process.argv.slice(1)]));
}

const world = await startArgocdWorld();
try {
  console.log(JSON.stringify(await play(world)));
} finally {
  await world.stop();
}
