/** A rollout followed on a terminal: the page of `status`, drawn over the one before. */
import type { Terminal } from '#cli/command.ts';
import { inkFor } from '#cli/page/ink.ts';
import { pageText } from '#cli/page/page.ts';
import { pageWidth } from '#cli/page/width.ts';
import type { Show } from './follow.ts';

interface ScreenOptions {
  readonly isPlain: boolean;
  readonly where: string;
}

/** A screen of our own, which the terminal takes away again: what stood there before comes back. */
const ENTER = '\u001B[?1049h\u001B[?25l';
const LEAVE = '\u001B[?1049l\u001B[?25h';
const HOME = '\u001B[H';
const CLEAR_LINE = '\u001B[K';
const CLEAR_BELOW = '\u001B[J';

export function screenOn(terminal: Terminal, { isPlain, where }: ScreenOptions): Show {
  const ink = inkFor({ ...terminal, isPlain });
  let last: string | undefined;
  return {
    show: (object) => {
      const nowMs = terminal.clock.now();
      const page = pageText({ object, nowMs, width: pageWidth(terminal), ink, where });
      const lines = fitting(page, terminal.rows).replaceAll('\n', `${CLEAR_LINE}\n`);
      // Drawn over the page before in one write, so that nothing flickers.
      terminal.out(`${last === undefined ? ENTER : ''}${HOME}${lines}${CLEAR_BELOW}`);
      last = page;
    },
    close: () => {
      if (last !== undefined) terminal.out(`${LEAVE}${last}`);
    },
  };
}

/** What is longer than the screen would scroll its beginning away, which says the most. */
function fitting(page: string, rows: number | undefined): string {
  const lines = page.split('\n');
  if (rows === undefined || lines.length <= rows) return page;
  const shown = lines.slice(0, Math.max(1, rows - 2));
  return `${shown.join('\n')}\n(${lines.length - 1 - shown.length} more lines: \`status\` shows them)`;
}
