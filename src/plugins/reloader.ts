/** Imports plugins anew when their files have changed, for `--watch`. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { importsOf } from "./bun-imports.ts";
import { asPluginError, filesOf } from "./failure.ts";
import { isOwnFile, onImport, passVersions, withVersion } from "./hooks.ts";
import { locate } from "./locate.ts";
import { platform } from "./platform.ts";
import { readSpecifier, urlOf } from "./specifier.ts";
import { importModule } from "./this-package.ts";

/**
 * Imports the plugins of one configuration, each time that it is read. When a file of one of them
 * has changed, all are imported anew, with the files that they import; packages stay as they are.
 * The former code stays in memory, since no platform forgets a module.
 */
export class PluginReloader {
  /** The imported modules by folder and specifier. */
  readonly #modules = new Map<string, unknown>();
  /** The texts of all files when they were imported; undefined for a missing file. */
  readonly #texts = new Map<string, string | undefined>();
  /** The files that each file imports. */
  readonly #imports = new Map<string, Set<string>>();
  /** The files of the plugins themselves. */
  readonly #roots = new Set<string>();
  #version = 1;
  #hasFailed = false;

  /** The files of the plugins since `begin`, by path, with their texts when they were imported. */
  get files(): ReadonlyMap<string, string | undefined> {
    const files = new Map<string, string | undefined>();
    const add = (path: string): void => {
      if (files.has(path)) return;
      files.set(path, this.#texts.get(path));
      this.#imports.get(path)?.forEach(add);
    };
    this.#roots.forEach(add);
    return files;
  }

  /** Call it before the configuration is read. */
  begin(): void {
    this.#roots.clear();
    const hasChanged = [...this.#texts].some(([path, text]) => readOrNothing(path) !== text);
    if (!hasChanged && !this.#hasFailed) return;
    // It has the modules of CommonJS, and on Bun all.
    const { cache } = createRequire(import.meta.url);
    for (const path of this.#texts.keys()) delete cache[path];
    this.#version++;
    this.#hasFailed = false;
    this.#modules.clear();
    this.#texts.clear();
    this.#imports.clear();
  }

  /** Imports a module, or returns the exports that it had, if no file has changed since. */
  readonly importPlugin = async (specifier: string, folder: string): Promise<unknown> => {
    const named = readSpecifier(specifier, folder);
    // A file that does not exist now may exist the next time.
    if (named.kind === "file") this.#addRoot(named.path);
    const url = await locate(specifier, folder);
    const path = isOwnFile(url) ? fileURLToPath(url) : undefined;
    if (path !== undefined) this.#addRoot(path);
    const key = JSON.stringify([folder, specifier]);
    if (this.#modules.has(key)) return this.#modules.get(key);
    try {
      const exports = await this.#import(url, path);
      this.#modules.set(key, exports);
      return exports;
    } catch (error) {
      // The platforms keep a module that has failed.
      this.#hasFailed = true;
      if (platform === "bun" && error instanceof SyntaxError) await this.#runUnlinked();
      for (const file of filesOf(error, url)) if (isOwnFile(file)) this.#addRoot(file);
      throw asPluginError(error, url);
    }
  };

  #import(url: string, path: string | undefined): Promise<unknown> {
    if (platform === "bun") {
      if (path !== undefined) this.#scan(path);
      return importModule(url);
    }
    passVersions();
    onImport((parent, child) => this.#add(fileURLToPath(parent), fileURLToPath(child)));
    return importModule(path === undefined ? url : withVersion(url, this.#version));
  }

  /**
   * Bun keeps the modules beside one whose export is missing, and forgets a module only after it has
   * run. Nobody waits for their results.
   */
  async #runUnlinked(): Promise<void> {
    await Promise.allSettled([...this.#texts.keys()].map((path) => importModule(urlOf(path))));
  }

  #addRoot(path: string): void {
    this.#roots.add(path);
    this.#read(path);
  }

  #add(parent: string, child: string): void {
    const children = this.#imports.get(parent) ?? new Set();
    this.#imports.set(parent, children.add(child));
    this.#read(child);
  }

  /** Before the platform reads it, so that a change in between is seen. */
  #read(path: string): void {
    if (!this.#texts.has(path)) this.#texts.set(path, readOrNothing(path));
  }

  /** Adds what a file imports. Bun has no hooks that tell. */
  #scan(path: string): void {
    if (this.#imports.has(path)) return;
    this.#imports.set(path, new Set());
    for (const child of importsOf(path, this.#texts.get(path) ?? "")) {
      this.#add(path, child);
      this.#scan(child);
    }
  }
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
