/** Direction marks, embeddings, overrides and isolates: they reorder the text around them as it is shown. */
const bidiControl = "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069";
const esc = "\\u001b";

const special = new RegExp(`[\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\ufeff${bidiControl}]`, "u");
/** What a terminal acts on: colours and moves (CSI), titles and links (OSC and its like), and the short ones. */
const terminalSequence = new RegExp(
  `(?:${esc}\\[|\\u009b)[0-?]*[ -/]*[@-~]|${esc}[\\]PX^_][^\\u0007${esc}]*(?:\\u0007|${esc}\\\\)|${esc}[ -/]*[0-~]`,
  "gu",
);
const breaks = /[\t\n\v\f\r\u0085\p{Zl}\p{Zp}]+/gu;
const invisible = new RegExp(`[\\p{Cc}\\ufeff${bidiControl}]`, "gu");

/**
 * Text from outside as one line that shows what it says: breaks and tabs become a space; terminal sequences, other control
 * characters and what turns the direction of text vanish.
 */
export function oneLine(text: string): string {
  if (!special.test(text)) return text;
  return text.toWellFormed().replace(terminalSequence, "").replace(breaks, " ").replace(invisible, "");
}

const active = new RegExp(`\\r\\n|[\\u0000-\\u0008\\v-\\u001f\\u007f-\\u009f${bidiControl}]`, "gu");

/**
 * The lines of a log with nothing in them on which a terminal acts. Line ends and tabs stay, and so does the number of
 * bytes in UTF-8, by which readers and writers of a log count: a question mark stands for each character left out.
 */
export function inertLines(text: string): string {
  return text.replace(active, (found) => {
    if (found === "\r\n") return " \n";
    if (found === "\r") return "\n";
    if (found < "\u0080") return "?";
    return found < "\u0800" ? "\u00bf" : "\ufffd";
  });
}
