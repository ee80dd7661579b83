const encoder = new TextEncoder();

/** The text, cut so that it has at most so many bytes in UTF-8; never within a character. */
export function cutBytes(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const target = new Uint8Array(maxBytes);
  const { read } = encoder.encodeInto(text, target);
  return read === text.length ? text : text.slice(0, read);
}

const controls = /[\p{Cc}\p{Zl}\p{Zp}]/u;
const breaks = /[\t\n\v\f\r\p{Zl}\p{Zp}]+/gu;
/** Colours and the like of a terminal: escape, bracket, numbers, a letter. */
const terminalSequences = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[ -/]*[@-~]`, "g");
const otherControls = /\p{Cc}/gu;

/** The text on one line: breaks and tabs become spaces, other control characters and terminal colours vanish. */
export function oneLine(text: string): string {
  if (!controls.test(text)) return text;
  return text.replace(terminalSequences, "").replace(breaks, " ").replace(otherControls, "");
}
