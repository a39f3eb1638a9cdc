/**
 * What `weir` keeps on this machine between two starts, in a folder that only its user can write to.
 * The cache decides how a configuration is understood, so a file is used only if it belongs to the
 * user and its hash matches its content.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, readdir, rename, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import type { TextCache } from "../hcl/scope.ts";
import { cacheFolder, isPrivate, makePrivate } from "../server/cache-folder.ts";

/** The number of texts that are kept. Each configuration file has two. */
const MAX_TEXTS = 128;
/** The largest file, in bytes. Weir writes none that is larger. */
const MAX_SIZE = 8 * 2 ** 20;

/** The cache of this user; undefined if there is none. */
export function diskCache(): TextCache | undefined {
  const folder = cacheFolder();
  return folder === undefined ? undefined : new DiskCache(join(folder, "texts"));
}

/** One file for each text. If the disk fails, nothing is kept. */
class DiskCache implements TextCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(key: string): Promise<string | undefined> {
    return await this.#read(key).catch(() => undefined);
  }

  async write(key: string, text: string): Promise<void> {
    await this.#write(key, text).catch(() => {});
  }

  async #read(key: string): Promise<string | undefined> {
    if (!makePrivate(this.#folder)) return undefined;
    // A link may lead to a file that others can write; opening a pipe would wait.
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
    const file = await open(this.#pathOf(key), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const found = await file.stat();
      if (!found.isFile() || !isPrivate(found) || found.size > MAX_SIZE) return undefined;
      const kept = await file.readFile("utf8");
      const text = kept.slice(kept.indexOf("\n") + 1);
      return kept === seal(key, text) ? text : undefined;
    } finally {
      await file.close();
    }
  }

  /** A file gets its name when it is complete, so that no process reads half of it. */
  async #write(key: string, text: string): Promise<void> {
    if (!makePrivate(this.#folder)) return;
    const draft = `${this.#pathOf(key)}.${process.pid}`;
    // An earlier process with this id may have left a file, or another user a link.
    await unlink(draft).catch(() => {});
    await writeFile(draft, seal(key, text), { mode: 0o600, flag: "wx" });
    await rename(draft, this.#pathOf(key));
    await this.#makeRoom();
  }

  async #makeRoom(): Promise<void> {
    const names = await readdir(this.#folder);
    if (names.length <= MAX_TEXTS) return;
    const files = await Promise.all(names.map(async (name) => {
      const path = join(this.#folder, name);
      return { path, age: (await stat(path)).mtimeMs };
    }));
    files.sort((a, b) => a.age - b.age);
    await Promise.all(files.slice(0, files.length - MAX_TEXTS).map(({ path }) => unlink(path)));
  }

  #pathOf(key: string): string {
    return join(this.#folder, `${key}.txt`);
  }
}

/** A text with a hash of it and its key. */
function seal(key: string, text: string): string {
  const hash = createHash("sha256").update(`${key}\n${text}`).digest("hex");
  return `${hash}\n${text}`;
}
