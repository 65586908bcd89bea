/**
 * `npm run images`: the images of the end-to-end tests, into dist/images, as archives that docker, podman and `ctr` read, and the
 * operator's index of both architectures, as an OCI layout.
 */
import { buildImages, images } from './images.ts';

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => interruption.abort(new Error(`interrupted by ${name}`)));
}
try {
  await buildImages({
    say: (sentence) => console.error(`images: ${sentence}`),
    signal: interruption.signal,
  });
  for (const { tag, archive } of Object.values(images)) console.log(`${tag} ${archive}`);
  console.log(`${images.operator.tag} ${images.operator.index}`);
} catch (error) {
  console.error(`images: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
