import { styleText } from "node:util";

/** How a text may look. */
export type Look = Parameters<typeof styleText>[0];

/** Gives the text the look, where that is wanted. */
export type Paint = (look: Look, text: string) => string;

/** Paints for a terminal that shows colours and whose user wants them (NO_COLOR); for anything else it does not. */
export function createPaint(stream: NodeJS.WriteStream): Paint {
  return (look, text) => styleText(look, text, { stream });
}

/** Leaves every text as it is. */
export const noPaint: Paint = (_look, text) => text;
