/** Configuration files on disk. */
import { readdir, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import process from "node:process";
import type { SourceFile } from "../hcl/tree.ts";
import type { LoadOptions } from "../runtime/load.ts";
import { readTextFile } from "../base/text-file.ts";

const EXTENSIONS: readonly string[] = [".hcl", ".mycel"];

/** Reads environment variables and files of this machine, and imports its modules. */
export const hostOptions: Required<Pick<LoadOptions, "env" | "readFile" | "importPlugin">> = {
  env: (name: string): string | undefined => process.env[name],
  readFile: readTextFile,
  async importPlugin(specifier, folder) {
    // On demand, since few configurations have plugins.
    const { importPlugin } = await import("../plugins/mod.ts");
    return await importPlugin(specifier, folder);
  },
};

/** Whether there is a folder at a path. */
export async function hasFolder(path: string): Promise<boolean> {
  return await stat(path).then((found) => found.isDirectory(), () => false);
}

/** A path leads to no configuration. */
export class ConfigPathError extends Error {
  /** `ConfigPathError`. */
  override readonly name = "ConfigPathError";
  /** Stable, as every code of an error. */
  readonly code = "no-configuration";
}

/**
 * Reads configuration files. Each path is a file, or a folder whose `*.hcl` and `*.mycel` files are
 * read in the order of their paths, including those in subfolders. Hidden files and `node_modules`
 * are skipped. A file that cannot be read is a problem of the configuration, not an error.
 *
 * @throws {ConfigPathError} A path does not exist, a folder cannot be read, or no file was found.
 */
export async function readConfigFiles(...paths: readonly string[]): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  // One after another, since a folder may have more files than a process can open at once.
  for (const path of await listConfigFiles(...paths)) files.push(await readSource(path));
  return files;
}

/**
 * The absolute paths of the files that `readConfigFiles` reads.
 *
 * @throws {ConfigPathError} As `readConfigFiles`.
 */
export async function listConfigFiles(...paths: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const files = await listFiles(path);
    if (files.length === 0) {
      throw new ConfigPathError(`${path}: there is no ${EXTENSIONS.join(" or ")} file`);
    }
    for (const file of files) found.add(file);
  }
  return [...found];
}

async function readSource(path: string): Promise<SourceFile> {
  const place = { path: shown(path), folder: dirname(path) };
  return await readTextFile(path).then(
    (text) => ({ ...place, text }),
    (error: Error) => ({ ...place, text: "", unreadable: error.message }),
  );
}

async function listFiles(path: string): Promise<string[]> {
  const absolute = resolve(path);
  const info = await stat(absolute).catch((cause) => {
    throw new ConfigPathError(`${path}: there is no such file or folder`, { cause });
  });
  if (!info.isDirectory()) return [absolute];
  const entries = await readdir(absolute, { withFileTypes: true }).catch((cause) => {
    throw new ConfigPathError(`${shown(absolute)} cannot be read: ${cause.message}`, { cause });
  });
  const lists = await Promise.all(entries.map((entry): string[] | Promise<string[]> => {
    // Hidden files belong to editors and other programs.
    if (entry.name.startsWith(".") || entry.name === "node_modules") return [];
    const inner = join(absolute, entry.name);
    if (entry.isDirectory()) return listFiles(inner);
    return EXTENSIONS.some((extension) => entry.name.endsWith(extension)) ? [inner] : [];
  }));
  return lists.flat().sort();
}

/** Relative if the file is below the working directory, with slashes on every system. */
function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return (short.startsWith("..") ? path : short).split(sep).join("/");
}
