/** Configuration files on disk. */
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import process from "node:process";
import type { SourceFile } from "../config/tree.ts";
import type { LoadOptions } from "../load.ts";

const EXTENSIONS: readonly string[] = [".hcl", ".mycel"];

/** Reads environment variables and files of this machine. */
export const hostOptions: Required<Pick<LoadOptions, "env" | "readFile">> = {
  env: (name: string): string | undefined => process.env[name],
  readFile: (path: string): Promise<string> => readFile(path, "utf8"),
};

/** A path that names no file and no folder with a configuration in it. */
export class ConfigPathError extends Error {
  /** `ConfigPathError`. */
  override readonly name = "ConfigPathError";
}

/**
 * Reads configuration files: each path is a file, or a folder whose `*.hcl` and `*.mycel` files are
 * read in path order, those of subfolders included; hidden folders and `node_modules` are not.
 *
 * @throws {ConfigPathError} A path does not exist, or no file was found.
 */
export async function readConfigFiles(...paths: readonly string[]): Promise<SourceFile[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const before = found.size;
    for (const file of await listFiles(path)) found.add(file);
    if (found.size === before) {
      throw new ConfigPathError(`${path}: there is no ${EXTENSIONS.join(" or ")} file`);
    }
  }
  return await Promise.all([...found].map(async (path) => ({
    path: shown(path),
    text: await readFile(path, "utf8"),
    folder: dirname(path),
  })));
}

async function listFiles(path: string): Promise<string[]> {
  const absolute = resolve(path);
  const info = await stat(absolute).catch((cause) => {
    throw new ConfigPathError(`${path}: there is no such file or folder`, { cause });
  });
  if (!info.isDirectory()) return [absolute];
  const entries = await readdir(absolute, { withFileTypes: true });
  const lists = await Promise.all(entries.map((entry): string[] | Promise<string[]> => {
    const inner = join(absolute, entry.name);
    if (entry.isDirectory()) {
      const skipped = entry.name.startsWith(".") || entry.name === "node_modules";
      return skipped ? [] : listFiles(inner);
    }
    return EXTENSIONS.some((extension) => entry.name.endsWith(extension)) ? [inner] : [];
  }));
  return lists.flat().sort();
}

/** Short where the file is below the working directory, and the same on every system. */
function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return (short.startsWith("..") ? path : short).split(sep).join("/");
}
