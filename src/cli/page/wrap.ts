/** Text that fits the width of the page. */

/** Lines of at most `width` characters, broken between words; a longer word is cut into pieces. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((one) => pieces(one, width))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= width) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = word;
  }
  return line === '' ? lines : [...lines, line];
}

/** Paragraphs below a label: the first line stands beside it, the others under the first. */
export function hang(label: string, text: string, width: number): string[] {
  const room = Math.max(10, width - label.length);
  const lines = wrap(text, room);
  const indent = ' '.repeat(label.length);
  return (lines.length === 0 ? [''] : lines).map((line, index) =>
    `${index === 0 ? label : indent}${line}`.trimEnd(),
  );
}

/** A command line that can be copied although it is longer than a line. */
export function wrapCommand(command: string, indent: string, width: number): string[] {
  const lines = wrap(command, Math.max(20, width - indent.length - 4));
  return lines.map((line, index) => {
    const start = index === 0 ? indent : `${indent}  `;
    return `${start}${line}${index === lines.length - 1 ? '' : ' \\'}`;
  });
}

export function cut(text: string, width: number, more: string): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}${more}`;
}

function pieces(word: string, width: number): string[] {
  if (word.length <= width) return [word];
  const all: string[] = [];
  for (let from = 0; from < word.length; from += width) all.push(word.slice(from, from + width));
  return all;
}
