/** The most code units of a piece: at three bytes each they have less than 64 KiB in UTF-8. */
const maxUnits = 16 * 1024;

/** The texts, gathered and cut into pieces of less than 64 KiB each, so that no message is large and none is tiny. */
export async function* toPieces(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let piece = "";
  for await (const text of texts) {
    piece += text;
    while (piece.length >= maxUnits) {
      const end = endOfPiece(piece);
      yield piece.slice(0, end);
      piece = piece.slice(end);
    }
  }
  if (piece !== "") yield piece;
}

/** A character of two code units stays whole. */
function endOfPiece(text: string): number {
  const isSplit = /[\ud800-\udbff]/.test(text.charAt(maxUnits - 1));
  return isSplit ? maxUnits - 1 : maxUnits;
}

/** The entries of a JSON array, one a line. */
export async function* jsonList(entries: AsyncIterable<unknown>): AsyncGenerator<string> {
  yield "[";
  let separator = "\n";
  for await (const entry of entries) {
    yield separator + JSON.stringify(entry);
    separator = ",\n";
  }
  yield "\n]";
}
