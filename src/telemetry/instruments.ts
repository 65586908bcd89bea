/** Makes prom-client's metrics from the catalogue, in a registry of our own: nothing here is global. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { events } from './catalogue.ts';

type Events = typeof events;
type NamesOf<Type> = {
  [Name in keyof Events]: Events[Name]['type'] extends Type ? Name : never;
}[keyof Events];

export type LabelsOf<Name extends keyof Events> = Events[Name]['labels'][number];

export class Instruments {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  counter<Name extends NamesOf<'counter'>>(name: Name): Counter<LabelsOf<Name>> {
    return new Counter<LabelsOf<Name>>(this.#settings(name));
  }

  /** @param collect called at each scrape, to set the value then */
  gauge<Name extends NamesOf<'gauge'>>(
    name: Name,
    collect?: (gauge: Gauge<LabelsOf<Name>>) => void,
  ): Gauge<LabelsOf<Name>> {
    return new Gauge<LabelsOf<Name>>({
      ...this.#settings(name),
      ...(collect && {
        collect() {
          collect(this);
        },
      }),
    });
  }

  histogram<Name extends NamesOf<'histogram'>>(name: Name): Histogram<LabelsOf<Name>> {
    return new Histogram<LabelsOf<Name>>({
      ...this.#settings(name),
      buckets: [...events[name].buckets],
    });
  }

  #settings<Name extends keyof Events>(name: Name) {
    const labelNames: LabelsOf<Name>[] = [...events[name].labels];
    return { name, help: events[name].help, labelNames, registers: [this.#registry] };
  }
}
