/** The API server's answers as the testbed reads them: checked where they come in, so that nobody has to believe them later. */
import { z } from 'zod';

const metadata = z.looseObject({ name: z.string(), namespace: z.string().exactOptional() });

/** Items of a list do not name their own kind. */
export const listAnswer = z.object({ items: z.array(z.looseObject({ metadata })) });

/** What `/apis/<group>/<version>` says: `name` has a `/` for subresources. */
export const resourcesAnswer = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});

export const crdSpec = z.object({
  group: z.string(),
  names: z.object({ kind: z.string() }),
  versions: z.array(z.object({ name: z.string(), served: z.boolean() })),
});

export const tokenStatus = z.object({ token: z.string() });
