/**
 * The GUI benchmark: an agent with a limited number of steps does office tasks on the desktop, and misses a click now and
 * then, as agents do. A task has passed when its files are as they were asked for: that is looked at, not assumed.
 */
import { Desktop } from './desktop.mjs';
import { createRandom } from './random.mjs';

const apps = ['editor', 'mail', 'sheet', 'notes'];
const words = 'meeting budget invoice draft agenda report summary plan review offer'.split(' ');
/** After so many steps a task has failed. */
const STEPS_MAX = 40;
/** How often an action is not carried out as it was meant. */
const MISS = 0.03;
/** How often the agent sees that it was not, and tries again. */
const NOTICED = 0.95;

export function makeTask(random) {
  const count = 1 + random.below(3);
  return Array.from({ length: count }, (_, index) => ({
    app: random.pick(apps),
    name: `${random.pick(words)}-${index}.txt`,
    text: Array.from({ length: 4 + random.below(8) }, () => random.pick(words)).join(' '),
  }));
}

/** @returns {{passed: boolean, steps: number}} */
export function runTask(task, random) {
  const desktop = new Desktop();
  const attempt = (action) => {
    for (;;) {
      if (desktop.steps >= STEPS_MAX) return;
      if (random.next() >= MISS) {
        desktop.act(action);
        return;
      }
      // A click beside the button: it costs a step and does nothing.
      desktop.act({ type: 'nothing' });
      if (random.next() >= NOTICED) return;
    }
  };
  for (const { app, name, text } of task) {
    attempt({ type: 'open', app });
    for (const word of text.split(' ')) attempt({ type: 'type', text: `${word} ` });
    attempt({ type: 'menu', name: 'file' });
    attempt({ type: 'click', item: 'save', name });
    attempt({ type: 'close' });
  }
  const passed = task.every(({ name, text }) => desktop.files.get(name)?.trim() === text);
  return { passed, steps: desktop.steps };
}

/** Runs `count` tasks; durations are measured. */
export function createOsworld(seed = 1) {
  const random = createRandom(seed);
  return {
    round: (count) => {
      const results = [];
      for (let index = 0; index < count; index += 1) {
        const task = makeTask(random);
        const startedAt = performance.now();
        const { passed, steps } = runTask(task, random);
        results.push({ passed, steps, seconds: (performance.now() - startedAt) / 1000 });
      }
      return results;
    },
  };
}
