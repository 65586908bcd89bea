/** A Git repository in a folder, whose commits are made by a test. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { run } from '#scripts/testbed/command.ts';

export class Repository {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  get url(): string {
    return `file://${this.folder}`;
  }

  async create(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await this.#git('init', '--quiet', '--initial-branch=main');
  }

  /** Writes objects into files and commits them. */
  async commit(files: Readonly<Record<string, readonly object[]>>): Promise<void> {
    for (const [path, objects] of Object.entries(files)) {
      const file = join(this.folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, objects.map((object) => stringify(object)).join('---\n'));
    }
    await this.#git('add', '--all');
    const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.com'];
    await this.#git(...author, 'commit', '--quiet', '--message=change');
  }

  async #git(...args: readonly string[]): Promise<void> {
    await run('git', ['-C', this.folder, ...args]);
  }
}
