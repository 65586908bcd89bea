/** 36 tests of both benchmarks, each run for real: what `/run` answers to the operator's health suite. */
import { Desktop } from './desktop.mjs';
import { MemoryStore } from './memory-store.mjs';
import { makeTask, runTask } from './osworld.mjs';
import { createRandom } from './random.mjs';

const open = (app) => ({ type: 'open', app });
const type = (text) => ({ type: 'type', text });
const menu = { type: 'menu', name: 'file' };
const save = (name) => ({ type: 'click', item: 'save', name });
const load = (name) => ({ type: 'click', item: 'load', name });
const close = { type: 'close' };

/** What the last action says, after those before it. */
const last = (...actions) => {
  const desktop = new Desktop();
  return actions.map((action) => desktop.act(action)).at(-1);
};
const fileAfter = (name, ...actions) => {
  const desktop = new Desktop();
  for (const action of actions) desktop.act(action);
  return desktop.files.get(name);
};
const outcomes = (texts, ttlMs = 1_000, times = []) => {
  let now = 0;
  const store = new MemoryStore({ ttlMs, now: () => now });
  return texts.map((text, index) => {
    now = times[index] ?? now;
    return store.add(text);
  });
};
const same = (found, wanted) => JSON.stringify(found) === JSON.stringify(wanted);

const desktopTests = {
  desktop_opens_a_window: () => last(open('mail')),
  desktop_opens_a_window_once: () => last(open('mail'), open('mail')),
  desktop_types_into_the_focus: () => last(open('mail'), type('a')),
  desktop_types_nowhere_without_a_window: () => !last(type('a')),
  desktop_shows_a_menu: () => last(open('mail'), menu),
  desktop_has_no_menu_without_a_window: () => !last(menu),
  desktop_types_nothing_under_a_menu: () => !last(open('mail'), menu, type('a')),
  desktop_saves: () => last(open('mail'), type('a'), menu, save('f')),
  desktop_saves_what_was_typed: () =>
    fileAfter('f', open('mail'), type('ab'), menu, save('f')) === 'ab',
  desktop_saves_only_by_the_menu: () => !last(open('mail'), type('a'), save('f')),
  desktop_closes_a_clean_window: () => last(open('mail'), close),
  desktop_keeps_unsaved_text: () => !last(open('mail'), type('a'), close),
  desktop_closes_once_saved: () => last(open('mail'), type('a'), menu, save('f'), close),
  desktop_closes_nothing_twice: () => !last(open('mail'), close, close),
  desktop_loads_a_file: () =>
    last(open('mail'), type('a'), menu, save('f'), open('notes'), menu, load('f')),
  desktop_loads_no_file_that_is_not_there: () => !last(open('mail'), menu, load('f')),
  desktop_focuses_another_window: () =>
    last(open('mail'), open('notes'), { type: 'focus', app: 'mail' }),
  desktop_focuses_no_window_that_is_not_there: () => !last({ type: 'focus', app: 'mail' }),
};

const taskTests = Object.fromEntries(
  [11, 12, 13, 14, 15, 16].map((seed) => [
    `osworld_task_ends_within_its_steps_${seed}`,
    () => {
      const random = createRandom(seed);
      return runTask(makeTask(random), random).steps <= 40;
    },
  ]),
);

const memoryTests = {
  langmem_keeps_a_text: () => same(outcomes(['a b c']), ['new']),
  langmem_knows_the_same_text: () => same(outcomes(['a b c', 'a b c']), ['new', 'exact']),
  langmem_knows_other_order: () => same(outcomes(['a b c', 'c b a']), ['new', 'semantic']),
  langmem_knows_one_word_more: () => same(outcomes(['a b c d', 'x a b c d']), ['new', 'semantic']),
  langmem_tells_texts_apart: () => same(outcomes(['a b c', 'd e f']), ['new', 'new']),
  langmem_tells_half_apart: () => same(outcomes(['a b c d', 'a b x y']), ['new', 'new']),
  langmem_ignores_case_in_meaning: () => same(outcomes(['A b c', 'a b c']), ['new', 'semantic']),
  langmem_forgets_after_its_time: () =>
    same(outcomes(['a b c', 'a b c'], 1_000, [0, 1_001]), ['new', 'new']),
  langmem_remembers_until_then: () =>
    same(outcomes(['a b c', 'a b c'], 1_000, [0, 999]), ['new', 'exact']),
  langmem_forgets_words_too: () =>
    same(outcomes(['a b c', 'c b a'], 1_000, [0, 1_001]), ['new', 'new']),
  langmem_takes_an_empty_text: () => same(outcomes(['']), ['new']),
  langmem_counts_what_expired: () => {
    let now = 0;
    const store = new MemoryStore({ ttlMs: 10, now: () => now });
    store.add('a');
    now = 20;
    store.add('b');
    return store.expired === 1 && store.size === 1;
  },
};

export const langmemTests = Object.keys(memoryTests);
const tests = Object.entries({ ...desktopTests, ...taskTests, ...memoryTests });

/** As the operator reads it: totals and the names of what failed. */
export function runSuite(only = () => true) {
  const chosen = tests.filter(([name]) => only(name));
  const failures = chosen.flatMap(([name, passes]) => (holds(passes) ? [] : [name]));
  const failed = failures.length;
  return { total: chosen.length, passed: chosen.length - failed, failed, skipped: 0, failures };
}

function holds(passes) {
  try {
    return passes() === true;
  } catch {
    return false;
  }
}
