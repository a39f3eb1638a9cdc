/**
 * Reads text files at paths that users write. It reads regular files only, and only up to a limit: a
 * pipe could block forever, and a device may have no end.
 */
import { constants, type Stats } from "node:fs";
import { open, stat } from "node:fs/promises";

/** The largest text file, in bytes. */
export const MAX_TEXT_FILE: number = 16 * 2 ** 20;

const CHUNK = 256 * 1024;

/**
 * Reads a regular file. Symbolic links are followed. A byte order mark is kept.
 *
 * @throws {Error} The file does not exist, is not a regular file, has more than 16 MB, or is not
 * UTF-8. The message does not name the file, and can end a sentence of the caller.
 */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await read(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new Error(REASONS[code ?? ""] ?? message, { cause });
  }
}

/** The messages are the same on every runtime. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  ELOOP: "its symbolic links lead in a circle",
  EACCES: "permission denied",
  EPERM: "permission denied",
};

async function read(path: string): Promise<string> {
  refuse(await stat(path));
  // Something else may be there by now, and opening a pipe would block without O_NONBLOCK.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    refuse(await file.stat());
    const chunk = new Uint8Array(CHUNK);
    const chunks: Uint8Array[] = [];
    let size = 0;
    // The reported size is not reliable: a file may grow, and those in /proc report 0.
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK, null);
      if (bytesRead === 0) break;
      size += bytesRead;
      if (size > MAX_TEXT_FILE) throw tooLarge();
      // A copy of the bytes read, which may be few, as from /proc.
      chunks.push(chunk.slice(0, bytesRead));
    }
    return decode(chunks);
  } finally {
    await file.close();
  }
}

function refuse(found: Stats): void {
  if (!found.isFile()) throw new Error(`it is ${kindOf(found)}, not a regular file`);
  if (found.size > MAX_TEXT_FILE) throw tooLarge();
}

function tooLarge(): Error {
  return new Error("it has more than 16 MB");
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return "a folder";
  if (found.isFIFO()) return "a named pipe";
  return found.isSocket() ? "a socket" : "a device";
}

function decode(chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    const texts = chunks.map((chunk) => decoder.decode(chunk, { stream: true }));
    return texts.join("") + decoder.decode();
  } catch (cause) {
    throw new Error("it is not UTF-8 text", { cause });
  }
}
