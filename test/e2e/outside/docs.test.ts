/** Commands of pages that start a whole node themselves. */
import { runPages } from '#test/docs/run-pages.ts';

runPages('outside', async () => ({ variables: {}, stop: async () => undefined }));
