/** Creates folders at paths that users write. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Creates a folder, and those above it that do not exist. Symbolic links are followed.
 *
 * The `recursive` option of Node never returns where the system refuses a folder as if the one above
 * it did not exist, as in `/proc` or below a mount point of autofs.
 *
 * @throws {Error} The error of `mkdir`, with its code. Folders that have been created stay.
 */
export function makeFolder(path: string, mode: number = 0o777): void {
  try {
    makeOne(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === path) throw error;
    makeFolder(parent, mode);
    makeOne(path, mode);
  }
}

function makeOne(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (!isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // The error of mkdir says why.
  }
}
