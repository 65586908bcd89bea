/** The file of `--config`: YAML with the flags' names in camelCase, and what is too rare for a flag. */
import { parse, YAMLParseError } from 'yaml';
import { sentences } from './problems.ts';
import { readErrorText } from './read-error.ts';
import { settingsSchema } from './settings.ts';

export interface SettingsFile {
  /** Checked, but without defaults: flags are laid over it first. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: readonly string[];
}

/** @param readText throws when the file cannot be read */
export function readSettingsFile(path: string, readText: (path: string) => string): SettingsFile {
  const refused = (words: string): SettingsFile => ({
    values: {},
    problems: [`--config ${path}: ${words}`],
  });
  let found: unknown;
  try {
    found = parse(readText(path)) ?? {};
  } catch (error) {
    return refused(
      error instanceof YAMLParseError ? `it is no YAML: ${error.message}` : readErrorText(error),
    );
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) {
    return refused('it holds no fields; expected are lines such as `concurrency: 32`');
  }
  const values: Record<string, unknown> = { ...found };
  const { namespace } = values;
  // As behind the flag: one name, or several with commas.
  if (typeof namespace === 'string') {
    values['namespace'] = namespace.split(',').map((name) => name.trim());
  }
  const checked = settingsSchema.safeParse(values);
  const problems = checked.success ? [] : sentences(values, checked.error);
  return { values, problems: problems.map((words) => `${path}: ${words}`) };
}
