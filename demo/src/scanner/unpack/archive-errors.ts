/** The archive is no tar archive, is damaged or ends too early. */
export class ArchiveDamagedError extends Error {
  override readonly name = "ArchiveDamagedError";
}

/** The archive exceeds a limit. */
export class ArchiveLimitError extends Error {
  override readonly name = "ArchiveLimitError";
}
