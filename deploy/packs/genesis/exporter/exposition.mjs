/** The text format of Prometheus. Without its content type Prometheus 3 refuses the scrape. */
export const contentType = 'text/plain; version=0.0.4; charset=utf-8';

export class Metrics {
  #families = new Map();

  /** @param {'counter' | 'gauge' | 'histogram'} type */
  #family(name, type, help) {
    const known = this.#families.get(name) ?? { type, help, values: new Map() };
    this.#families.set(name, known);
    return known.values;
  }

  gauge(name, help) {
    const values = this.#family(name, 'gauge', help);
    return { set: (value, labels = {}) => values.set(labelText(labels), value) };
  }

  /** @param labels those that it has from the start, at 0 */
  counter(name, help, labels = [{}]) {
    const values = this.#family(name, 'counter', help);
    for (const one of labels) values.set(labelText(one), 0);
    return {
      add: (value, one = {}) =>
        values.set(labelText(one), (values.get(labelText(one)) ?? 0) + value),
      /** Of something that is counted elsewhere. */
      reach: (value) => values.set('', value),
    };
  }

  histogram(name, help, bounds) {
    const values = this.#family(name, 'histogram', help);
    const state = { counts: bounds.map(() => 0), count: 0, sum: 0 };
    values.set('', { bounds, state });
    return {
      observe: (value) => {
        state.count += 1;
        state.sum += value;
        const at = bounds.findIndex((bound) => value <= bound);
        if (at >= 0) state.counts[at] += 1;
      },
    };
  }

  text() {
    let text = '';
    for (const [name, { type, help, values }] of this.#families) {
      text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
      for (const [labels, value] of values) {
        text += type === 'histogram' ? histogramText(name, value) : `${name}${labels} ${value}\n`;
      }
    }
    return text;
  }
}

function histogramText(name, { bounds, state }) {
  let below = 0;
  let text = '';
  for (const [index, bound] of bounds.entries()) {
    below += state.counts[index];
    text += `${name}_bucket{le="${bound}"} ${below}\n`;
  }
  return `${text}${name}_bucket{le="+Inf"} ${state.count}\n${name}_sum ${state.sum}\n${name}_count ${state.count}\n`;
}

function labelText(labels) {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
