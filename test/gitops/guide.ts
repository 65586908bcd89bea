/** The blocks of a guide, so that what people copy is what is tested. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

/** @param path of a Markdown file, from the root of the repository */
export async function blocksOf(path: string, language: string): Promise<readonly string[]> {
  const guide = await readFile(join(root, path), 'utf8');
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms');
  return [...guide.matchAll(fence)].map(([, text = '']) => text);
}

/** The only one. */
export async function blockOf(path: string, language: string): Promise<string> {
  const blocks = await blocksOf(path, language);
  const [text] = blocks;
  if (text === undefined || blocks.length > 1) {
    throw new Error(`${path} has ${blocks.length} blocks of ${language}; one is expected`);
  }
  return text;
}
