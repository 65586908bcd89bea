/** The memory benchmark: what people tell an assistant, partly for the second time and partly in other words. */
import { MemoryStore } from './memory-store.mjs';
import { createRandom } from './random.mjs';

const who = ['Anna', 'Ben', 'Carla', 'David', 'Eva', 'Farid', 'Greta', 'Hugo', 'Ines', 'Jonas'];
const likes = ['likes', 'prefers', 'wants', 'avoids', 'forgot', 'ordered', 'moved', 'cancelled'];
const what =
  'tea coffee meetings flights invoices dashboards reminders holidays reviews backups'.split(' ');
const when =
  'monday tuesday wednesday thursday friday january june december mornings evenings'.split(' ');

const fact = (random) => [
  random.pick(who),
  random.pick(likes),
  random.pick(what),
  'on',
  random.pick(when),
  `${random.below(90)}`,
];

export function createLangmem({ seed = 2, ttlMs = 60_000 } = {}) {
  const random = createRandom(seed);
  const store = new MemoryStore({ ttlMs });
  const told = [];
  const next = () => {
    const share = random.next();
    if (told.length > 0 && share < 0.25) return random.pick(told).join(' ');
    // The same words in another order, and one more: another text that says the same.
    if (told.length > 0 && share < 0.45)
      return ['also', ...random.pick(told).toReversed()].join(' ');
    const words = fact(random);
    told.push(words);
    if (told.length > 200) told.shift();
    return words.join(' ');
  };
  return {
    store,
    /** Tells it `count` texts; how long each took is measured. */
    round: (count) => {
      const milliseconds = [];
      let duplicates = 0;
      for (let index = 0; index < count; index += 1) {
        const text = next();
        const startedAt = performance.now();
        if (store.add(text) !== 'new') duplicates += 1;
        milliseconds.push(performance.now() - startedAt);
      }
      return { count, duplicates, milliseconds };
    },
  };
}
