/** Default of a job type's maximum number of failed attempts; Harbor's too. */
export const defaultMaxFails = 4;

/** A job type as the workers registered it. */
export interface JobType {
  name: string;
  description: string;
  /** The JSON Schema of its parameters, as JSON text. */
  parametersSchema: string;
  /** How many attempts may fail before the job is in ERROR, at least 1. */
  maxFails: number;
  /** How many jobs of it may run at once over all workers; 0 is no limit. */
  maxRunning: number;
  /**
   * How much of the slots of all workers that take it the jobs of one fairness key may hold at once, in percent, though
   * always one; 0 is no limit. Jobs without a key are not held to it.
   */
  maxKeyPercent: number;
  /** Whether only one job of it may be alive, whatever its parameters. */
  isSingleton: boolean;
}

/** A job type, and which workers registered it. */
export interface RegisteredJobType extends JobType {
  /** The version of their software. */
  version: string;
}

/** What a job type's name looks like. */
export const jobNamePattern = /^[A-Z][A-Z0-9_]{0,63}$/;

/** The rule of `jobNamePattern`, for people. */
export const jobNameRule = "must be at most 64 of A-Z, 0-9 and _, a letter first";
