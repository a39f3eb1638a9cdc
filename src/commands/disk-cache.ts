/** What `weir` keeps on this machine from one start to the next: a folder that only its user can read. */
import { mkdir, readdir, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import type { TextCache } from "../config/scope.ts";
import { cacheFolder } from "../server/cache-folder.ts";

/** As many texts are kept: two of each configuration file. */
const MOST = 128;

/** The cache of this user; undefined where there is none. */
export function diskCache(): TextCache | undefined {
  const folder = cacheFolder();
  return folder === undefined ? undefined : new DiskCache(join(folder, "texts"));
}

/** One file for each text. Where the disk refuses, nothing is kept. */
class DiskCache implements TextCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(key: string): Promise<string | undefined> {
    const kept = await readFile(this.#pathOf(key), "utf8").catch(() => "");
    return isJson(kept) ? kept : undefined;
  }

  async write(key: string, text: string): Promise<void> {
    await this.#write(key, text).catch(() => {});
  }

  /** Nobody ever reads half a file: it gets its name when it is whole. */
  async #write(key: string, text: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const draft = `${this.#pathOf(key)}.${process.pid}`;
    await writeFile(draft, text, { mode: 0o600 });
    await rename(draft, this.#pathOf(key));
    await this.#makeRoom();
  }

  async #makeRoom(): Promise<void> {
    const names = await readdir(this.#folder);
    if (names.length <= MOST) return;
    const files = await Promise.all(names.map(async (name) => {
      const path = join(this.#folder, name);
      return { path, age: (await stat(path)).mtimeMs };
    }));
    files.sort((a, b) => a.age - b.age);
    await Promise.all(files.slice(0, files.length - MOST).map(({ path }) => unlink(path)));
  }

  #pathOf(key: string): string {
    return join(this.#folder, `${key}.json`);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
