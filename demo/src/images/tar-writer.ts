/** A file for an archive. */
export interface TarFile {
  /** At most 100 bytes, without a leading slash. A directory ends with a slash. */
  path: string;
  content: string | Buffer;
}

const blockBytes = 512;

/** The files as a ustar archive. Equal files give equal bytes: owner, mode and time are fixed. */
export function writeTar(files: TarFile[]): Buffer {
  const blocks = files.flatMap(({ path, content }) => {
    const body = Buffer.from(content);
    return [header(path, body.length), body, Buffer.alloc(-body.length & (blockBytes - 1))];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)]);
}

function header(path: string, sizeBytes: number): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`the path is too long for a ustar header: ${path}`);
  const isDirectory = path.endsWith("/");
  const block = Buffer.alloc(blockBytes);
  block.write(path, 0);
  writeOctal(block, 100, 8, isDirectory ? 0o755 : 0o644);
  writeOctal(block, 108, 8, 0);
  writeOctal(block, 116, 8, 0);
  writeOctal(block, 124, 12, sizeBytes);
  writeOctal(block, 136, 12, 0);
  block.write(" ".repeat(8), 148);
  block.write(isDirectory ? "5" : "0", 156);
  block.write("ustar\u000000", 257, "latin1");
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function writeOctal(block: Buffer, offset: number, length: number, value: number): void {
  block.write(value.toString(8).padStart(length - 1, "0"), offset, "latin1");
}
