/** Where the picture goes: a terminal is redrawn in place, anything else gets a line for every change. */
import type { Paint } from './paint.ts';
import { describeChanges, renderTimeline, type View } from './timeline.ts';

export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface Screen {
  show(view: View): void;
  /** Leaves the last picture where it is; what follows is written below. */
  settle(): void;
  /** A sentence of its own, above the picture. */
  say(sentence: string): void;
}

const columnsDefault = 100;

export function createScreen(output: Output, paint: Paint): Screen {
  return output.isTTY === true ? terminalScreen(output, paint) : lineScreen(output);
}

function terminalScreen(output: Output, paint: Paint): Screen {
  let height = 0;
  // Up to the picture's first line, and away with all below.
  const clear = () => (height === 0 ? '' : `\u001B[${height}A\u001B[J`);
  return {
    show: (view) => {
      const lines = renderTimeline(view, output.columns ?? columnsDefault, paint);
      output.write(`${clear()}${lines.join('\n')}\n`);
      height = lines.length;
    },
    settle: () => {
      height = 0;
      output.write('\n');
    },
    say: (sentence) => {
      output.write(`${clear()}${sentence}\n`);
      height = 0;
    },
  };
}

function lineScreen(output: Output): Screen {
  let before: View | undefined;
  return {
    show: (view) => {
      if (before === undefined) output.write(`\n${view.title}\n`);
      for (const text of describeChanges(before, view)) output.write(`${text}\n`);
      before = view;
    },
    settle: () => {
      before = undefined;
    },
    say: (sentence) => {
      output.write(`${sentence}\n`);
    },
  };
}
