import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What a metric is called and what it means. */
export interface MetricOptions<Label extends string> {
  name: string;
  help: string;
  labels?: readonly Label[];
}

export interface GaugeOptions<Label extends string> extends MetricOptions<Label> {
  /** Sets the value when somebody reads the metrics. */
  collect?: (gauge: Gauge<Label>) => void | Promise<void>;
}

/** The metrics of a process, in Prometheus' form. */
export interface Metrics {
  readonly registry: Registry;
  counter<Label extends string>(options: MetricOptions<Label>): Counter<Label>;
  gauge<Label extends string>(options: GaugeOptions<Label>): Gauge<Label>;
  histogram<Label extends string>(options: MetricOptions<Label> & { buckets: readonly number[] }): Histogram<Label>;
  /** All metrics as text. */
  text(): Promise<string>;
  /** The media type of that text. */
  readonly contentType: string;
}

/** Makes an empty set of metrics, or with `defaults` one with those of Node's process (memory, event loop, GC). */
export function createMetrics({ defaults = false }: { defaults?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (defaults) collectDefaultMetrics({ register: registry });
  const common = <Label extends string>({ name, help, labels = [] }: MetricOptions<Label>) => ({
    name,
    help,
    labelNames: labels,
    registers: [registry],
  });
  return {
    registry,
    counter: (options) => new Counter(common(options)),
    gauge: <Label extends string>({ collect, ...options }: GaugeOptions<Label>) => {
      if (collect === undefined) return new Gauge(common(options));
      const gauge: Gauge<Label> = new Gauge({ ...common(options), collect: () => collect(gauge) });
      return gauge;
    },
    histogram: ({ buckets, ...options }) => new Histogram({ ...common(options), buckets: [...buckets] }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
