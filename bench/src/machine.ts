import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";
import packageJson from "../package.json" with { type: "json" };

/** What the benchmarks run on, in a line for each part. */
export function describeMachine(redisVersion: string): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    `machine: ${cpus().length} cores (${first?.model.trim() ?? "unknown"}), ${memory} GiB, ${platform()} ${release()} ${arch()}`,
    `Redis ${redisVersion} without persistence, Node ${process.versions.node}, BullMQ ${packageJson.dependencies.bullmq}`,
  ].join("\n");
}

/** How busy the machine was in the last minute; above the cores' count, or above 0.5 before a run, figures are noisy. */
export function describeLoad(): string {
  return `load average ${loadavg()[0]?.toFixed(1)}`;
}
