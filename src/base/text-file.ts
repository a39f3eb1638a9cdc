/**
 * Reads text files whose paths users write: whatever is at a path, reading ends, and takes little
 * memory. A pipe would keep its reader waiting, and a device has no end.
 */
import { constants, type Stats } from "node:fs";
import { open, stat } from "node:fs/promises";

/** The most bytes of a text file. */
export const MAX_TEXT_FILE: number = 16 * 2 ** 20;

const CHUNK = 256 * 1024;

/**
 * The text of a regular file, or of one that a symbolic link leads to. A byte order mark stays.
 *
 * @throws {Error} There is none, it is not a regular file, has more than 16 MB, or is not UTF-8. The
 * message says why as the end of a sentence, and does not name the file.
 */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await read(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new Error(REASONS[code ?? ""] ?? message, { cause });
  }
}

/** The same words on every runtime. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  ELOOP: "its symbolic links lead in a circle",
  EACCES: "this user may not read it",
  EPERM: "this user may not read it",
};

async function read(path: string): Promise<string> {
  refuse(await stat(path));
  // Somebody may have put something else there meanwhile: without this a pipe would be waited for.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    refuse(await file.stat());
    const chunk = new Uint8Array(CHUNK);
    const chunks: Uint8Array[] = [];
    let size = 0;
    // The size that a file reports is not reliable: the file may grow, and those of /proc report 0.
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK, null);
      if (bytesRead === 0) break;
      size += bytesRead;
      if (size > MAX_TEXT_FILE) throw tooLarge();
      // A copy, since a read may bring a few bytes only, as those of /proc do.
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
