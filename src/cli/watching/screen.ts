/** A rollout followed on a terminal: the page of `status`, drawn over the one before. */
import type { Terminal } from '#cli/command.ts';
import { inkFor } from '#cli/page/ink.ts';
import { pageText } from '#cli/page/page.ts';
import { pageWidth } from '#cli/page/width.ts';
import type { KubeObject } from '#ports/cluster.ts';

interface ScreenOptions {
  readonly isPlain: boolean;
  readonly where: string;
}

const HOME_AND_CLEAR = '\u001B[H\u001B[2J\u001B[3J';

export function screenOn(
  terminal: Terminal,
  { isPlain, where }: ScreenOptions,
): (object: KubeObject) => void {
  const ink = inkFor({ ...terminal, isPlain });
  return (object) => {
    const nowMs = terminal.clock.now();
    const page = pageText({ object, nowMs, width: pageWidth(terminal), ink, where });
    // Cleared and drawn in one write, so that nothing flickers.
    terminal.out(`${HOME_AND_CLEAR}${fitting(page, terminal.rows)}`);
  };
}

/** What is longer than the screen would scroll its beginning away, which says the most. */
function fitting(page: string, rows: number | undefined): string {
  const lines = page.split('\n');
  if (rows === undefined || lines.length <= rows) return page;
  const shown = lines.slice(0, Math.max(1, rows - 2));
  return `${shown.join('\n')}\n(${lines.length - 1 - shown.length} more lines: \`status\` shows them)\n`;
}
