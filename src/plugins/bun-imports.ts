/** The files that a module imports, as Bun reads it. */
import { dirname, resolve } from "node:path";
import { isOwnFile } from "./hooks.ts";

/** The part of `Bun` that is used here. */
interface BunGlobal {
  readonly Transpiler: new (options: { readonly loader: "tsx" | "ts" }) => {
    scanImports(code: string): readonly { readonly path: string }[];
  };
  resolveSync(specifier: string, folder: string): string;
}

/** The absolute paths of the files that a module imports, without those of packages. */
export function importsOf(path: string, text: string): readonly string[] {
  const { Bun } = globalThis as unknown as { readonly Bun: BunGlobal };
  const transpiler = new Bun.Transpiler({ loader: /x$/.test(path) ? "tsx" : "ts" });
  try {
    return transpiler.scanImports(text).flatMap(({ path: name }) => {
      // A file that does not exist is watched, too.
      const file = resolveOrNothing(Bun, name, dirname(path));
      return file !== undefined && isOwnFile(file) ? [file] : [];
    });
  } catch {
    // The import itself reports what is wrong with the text.
    return [];
  }
}

function resolveOrNothing(bun: BunGlobal, name: string, folder: string): string | undefined {
  try {
    return bun.resolveSync(name, folder);
  } catch {
    return /^\.{0,2}\//.test(name) ? resolve(folder, name) : undefined;
  }
}
