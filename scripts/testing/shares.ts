/** A stage that takes one core, as several that take one each: its files are dealt out, and their reports stay whole. */
import { runStage, type Stage, type StageResult } from './stage.ts';

/** The first share is reported as it goes, the others one after another once they have ended. */
export async function runShares(
  stage: Stage,
  count: number,
  print: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
): Promise<readonly StageResult[]> {
  const shares = sharesOf(stage, count);
  const [first, ...others] = shares.map((share, index) => {
    const kept: string[] = [];
    const result = runStage(share, index === 0 ? print : (line) => kept.push(line));
    return { result, kept };
  });
  const results = first === undefined ? [] : [await first.result];
  for (const { result, kept } of others) {
    results.push(await result);
    for (const line of kept) print(line);
  }
  return results;
}

/** Dealt out in turn: files that lie side by side are often alike. A stage with fewer files has fewer shares. */
export function sharesOf(stage: Stage, count: number): readonly Stage[] {
  const shares = Math.max(1, Math.min(count, stage.files.length));
  if (shares === 1) return [stage];
  return Array.from({ length: shares }, (_, index) => ({
    ...stage,
    name: `${stage.name} ${index + 1}/${shares}`,
    files: stage.files.filter((_file, at) => at % shares === index),
  }));
}
