/** The core runs wherever web standards do: it names no runtime. */

import assert from "node:assert/strict";
import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { deno, isCore, read, root, sourceFiles, withFolder } from "./graph.ts";

test("the core type-checks against web standards alone", async () => {
  assert.equal(await checkTypes(join(root, "mod.ts")), "");
});

test("that type check refuses what a runtime adds", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "runtime.ts");
    const names = ["process", "Buffer", "Deno", "Bun", "setImmediate"];
    await writeFile(file, `export const found: unknown[] = [${names.join(", ")}];\n`);
    const problems = await checkTypes(file);
    for (const name of names) assert.match(problems, new RegExp(`Cannot find name '${name}'`));
  });
});

test("only the edge and the connectors that need it name a runtime", async () => {
  const problems: string[] = [];
  for (const file of (await sourceFiles()).filter(isCore)) {
    for (const [index, line] of code(await read(file)).split("\n").entries()) {
      const name = runtimeName.exec(line);
      if (name !== null) problems.push(`${file}:${index + 1} names ${name[0]}`);
    }
  }
  assert.deepEqual(problems, []);
});

test("names of runtimes are found in code, not in comments or text", () => {
  assert.match(code("const a = Deno.env;"), runtimeName);
  assert.match(code("const a = globalThis.Bun;"), runtimeName);
  assert.match(code('const a = "/*" + process.pid; // */'), runtimeName);
  assert.match(code("const a = `${Buffer.from(b)}`;"), runtimeName);
  assert.doesNotMatch(code('const a = "ends with the process."; const b = "/*";'), runtimeName);
  assert.doesNotMatch(code("/** Deno.serve */ const a = 1; // Bun.serve"), runtimeName);
  assert.doesNotMatch(code("const a = queue.process(b); class ProcessBuffer {}"), runtimeName);
  assert.equal(code("a /* b\nc */ d").split("\n").length, 2);
});

const runtimeName = /(?<![\w.$])(?:Deno|Bun|process|Buffer)(?=\s*[.?[(])|globalThis\.(?:Deno|Bun)/;

/** The source without comments and quoted text; line numbers stay. */
function code(source: string): string {
  const tokens = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\*[\s\S]*?\*\/|\/\/.*/g;
  return source.replaceAll(tokens, (token) => token.replaceAll(/[^\n]/g, " "));
}

/** Type-checks a file and all that it imports; returns the complaints, empty when there are none. */
async function checkTypes(entry: string): Promise<string> {
  return await withFolder(async (folder) => {
    const { imports } = JSON.parse(await read("deno.json"));
    // Whoever imports a module gets the types of its globals, so the Node ones are replaced.
    const replaced: Record<string, string> = {};
    for (const [index, file] of (await sourceFiles()).filter((file) => !isCore(file)).entries()) {
      const standIn = join(folder, `${index}.ts`);
      await writeFile(standIn, declarations(await read(file)));
      replaced[pathToFileURL(join(root, file)).href] = pathToFileURL(standIn).href;
    }
    const config = join(folder, "deno.json");
    await writeFile(
      config,
      JSON.stringify({
        nodeModulesDir: "none",
        compilerOptions: { lib: ["esnext", "dom", "dom.iterable", "dom.asynciterable"] },
        imports: { ...imports, ...replaced },
      }),
    );
    await copyFile(join(root, "deno.lock"), join(folder, "deno.lock"));
    try {
      await deno("check", "--quiet", "--config", config, entry);
      return "";
    } catch (error) {
      const { stderr } = error as { readonly stderr?: string };
      if (stderr === undefined) throw error;
      return stderr;
    }
  });
}

/** A module with the same exports, each of any type. */
function declarations(source: string): string {
  const exported = /^export (?:async |abstract )*(function\*?|const|class|interface|type) (\w+)/gm;
  const lines = ["// deno-lint-ignore-file"];
  for (const [, kind, name] of source.matchAll(exported)) {
    const isType = kind === "interface" || kind === "type" || kind === "class";
    const isValue = kind !== "interface" && kind !== "type";
    if (isType) lines.push(`export type ${name} = any;`);
    if (isValue) lines.push(`export const ${name}: any = null;`);
  }
  for (const [, names] of source.matchAll(/^export \{([^}]*)\} from/gm)) {
    for (const name of names.split(",").map((name) => name.trim()).filter((name) => name !== "")) {
      const [, type] = /^type (\w+)$/.exec(name) ?? [];
      lines.push(
        type === undefined ? `export const ${name}: any = null;` : `export type ${type} = any;`,
      );
    }
  }
  return lines.join("\n") + "\n";
}
