const encoder = new TextEncoder();

/** The text, cut to at most that number of bytes in UTF-8; never within a character. */
export function cutBytes(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const target = new Uint8Array(maxBytes);
  const { read } = encoder.encodeInto(text, target);
  return read === text.length ? text : text.slice(0, read);
}

/** How many causes below an error are looked at. */
const maxCauses = 5;

/**
 * The message of what was thrown, and the code and address of its first cause that has a code, e.g. "fetch failed:
 * ECONNREFUSED 127.0.0.1:80". The messages of causes are left out: libraries write them, and may put secrets in them.
 */
export function messageOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return String(error);
    const message = error.message || error.name;
    const cause = systemCauseOf(error);
    return cause === undefined || message.includes(cause) ? message : `${message}: ${cause}`;
  } catch {
    return "what was thrown can't be shown";
  }
}

function systemCauseOf(error: Error): string | undefined {
  let { cause } = error;
  for (let depth = 0; depth < maxCauses && cause instanceof Error; depth += 1) {
    // Node tries each address of a name, and keeps an error for each.
    const own: Error & Partial<SystemError> = cause instanceof AggregateError ? (cause.errors[0] ?? cause) : cause;
    if (typeof own.code === "string") return [own.code, addressOf(own)].filter((part) => part !== "").join(" ");
    cause = own.cause;
  }
  return undefined;
}

/** What Node adds to the errors of the system. */
interface SystemError {
  code: unknown;
  address: unknown;
  port: unknown;
  hostname: unknown;
}

function addressOf({ address, port, hostname }: Partial<SystemError>): string {
  const host = address ?? hostname;
  if (typeof host !== "string") return "";
  return typeof port === "number" ? `${host}:${port}` : host;
}
