/** An error as Clair 2.x answers it: `{"Error":{"Message":…}}`. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** Set for time-outs only. */
  readonly type: string | undefined;

  constructor(status: number, message: string, type?: string) {
    super(message);
    this.status = status;
    this.type = type;
  }
}
