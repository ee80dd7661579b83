import { z } from "zod";

/** The parameters of a job of the benchmarks: those of a scan, 244 bytes as JSON, and when the job was launched. */
export const payloadSchema = z.strictObject({
  job_int_id: z.int(),
  repository: z.string(),
  tag: z.string(),
  digest: z.string(),
  registry: z.string(),
  scanner: z.string(),
  /** In microseconds since 1970. */
  launched_at: z.int(),
});

export type Payload = z.infer<typeof payloadSchema>;

/** The parameters of a job that is launched now. */
export function createPayload(): Payload {
  return {
    job_int_id: 184_467,
    repository: "library/web-frontend",
    tag: "v2026.11",
    digest: "sha256:3f5c1ab96c2c8ad2e7b4a3ef9d52c05c6c6f0a6d1b58a9e04c8b2f3d17e6a901",
    registry: "http://127.0.0.1:5000",
    scanner: "clair-v1",
    launched_at: Math.round(nowMs() * 1000),
  };
}

/** Milliseconds since 1970 with their fractions, comparable between the processes of one machine. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
