import type { Row, Target } from "./row.ts";
import { median, ratios, summarise } from "./statistics.ts";

const headings = ["what", "Drydock", "BullMQ", "ratio", "target"];

/** The rows as a Markdown table that reads well as plain text too. */
export function renderTable(rows: readonly Row[]): string {
  const lines = [headings, ...rows.map(toCells)];
  const widths = headings.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const render = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  const [heading = "", ...others] = lines.map(render);
  return [heading, rule, ...others].join("\n");
}

function toCells({ what, samples, beside, target }: Row): string[] {
  const compared = beside === undefined ? undefined : ratios(samples, beside.samples);
  return [
    what,
    formatSeries(samples),
    beside === undefined ? "–" : `${beside.name === undefined ? "" : `${beside.name} `}${formatSeries(beside.samples)}`,
    compared === undefined ? "–" : formatSeries(compared),
    target === undefined ? "–" : `${formatTarget(target)}: ${isMet(target, samples, compared) ? "met" : "missed"}`,
  ];
}

/** Whether the median is as the target wants it; a ratio without anything to compare with is never met. */
export function isMet(target: Target, samples: readonly number[], compared: readonly number[] = [Number.NaN]): boolean {
  switch (target.kind) {
    case "at-least-times":
      return median(compared) >= target.factor;
    case "at-most-times":
      return median(compared) <= target.factor;
    case "at-most":
      return median(samples) <= target.value;
    case "at-least":
      return median(samples) >= target.value;
  }
}

function formatTarget(target: Target): string {
  switch (target.kind) {
    case "at-least-times":
      return `≥ ${target.factor} ×`;
    case "at-most-times":
      return `≤ ${target.factor} ×`;
    case "at-most":
      return `≤ ${format(target.value)}`;
    case "at-least":
      return `≥ ${format(target.value)}`;
  }
}

/** The median, and the smallest and largest when there is more than one figure. */
export function formatSeries(series: readonly number[]): string {
  const { median, min, max } = summarise(series);
  return series.length === 1 ? format(median) : `${format(median)} (${format(min)}–${format(max)})`;
}

function format(value: number): string {
  const size = Math.abs(value);
  const maximumFractionDigits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits });
}
