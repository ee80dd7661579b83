const encoder = new TextEncoder();

/** The text, cut so that it has at most so many bytes in UTF-8; never within a character. */
export function cutBytes(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const target = new Uint8Array(maxBytes);
  const { read } = encoder.encodeInto(text, target);
  return read === text.length ? text : text.slice(0, read);
}
