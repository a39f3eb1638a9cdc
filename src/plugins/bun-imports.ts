/** The files that a module imports, as Bun reads it. */
import { dirname, resolve } from "node:path";
import { isOwnFile, PATH } from "./hooks.ts";

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
    const names = transpiler.scanImports(text).map(({ path: name }) => name);
    return names.filter((name) => PATH.test(name)).flatMap((name) => {
      // A file that does not exist is watched, too.
      const file = resolveOrJoin(Bun, name, dirname(path));
      return isOwnFile(file) ? [file] : [];
    });
  } catch {
    // The import itself reports what is wrong with the text.
    return [];
  }
}

function resolveOrJoin(bun: BunGlobal, name: string, folder: string): string {
  try {
    return bun.resolveSync(name, folder);
  } catch {
    return resolve(folder, name);
  }
}
