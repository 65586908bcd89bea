/** How wide a page is drawn. */
import type { Terminal } from '#cli/command.ts';

const WIDTH = 80;
const WIDTH_MIN = 60;
const WIDTH_MAX = 110;

/** As wide as the terminal, within what can be read well; 80 where there is none. */
export function pageWidth({ isTty, columns }: Pick<Terminal, 'isTty' | 'columns'>): number {
  if (!isTty || columns === undefined) return WIDTH;
  return Math.max(WIDTH_MIN, Math.min(WIDTH_MAX, columns));
}
