/** The benchmark's programs in C, compiled on first use. */
import { fileURLToPath } from "node:url";

const builds = new Map<string, Promise<string>>();

/**
 * The path of a program that is made of all C files of a folder of `bench`. It is compiled where a
 * file is newer than the program.
 *
 * @throws Error with the compiler's output.
 */
export function compiled(name: string, folder: string): Promise<string> {
  let build = builds.get(name);
  if (build === undefined) builds.set(name, build = compile(name, folder));
  return build;
}

async function compile(name: string, folder: string): Promise<string> {
  const sources = fileURLToPath(new URL(`${folder}/`, import.meta.url));
  const output = fileURLToPath(new URL(".build/", import.meta.url));
  const program = `${output}${name}`;
  const files: string[] = [];
  let newest = 0;
  for await (const { name } of Deno.readDir(sources)) {
    if (!/\.[ch]$/.test(name)) continue;
    newest = Math.max(newest, Number((await Deno.stat(sources + name)).mtime));
    if (name.endsWith(".c")) files.push(sources + name);
  }
  const built = await Deno.stat(program).catch(() => undefined);
  if (built !== undefined && Number(built.mtime) > newest) return program;
  await Deno.mkdir(output, { recursive: true });
  // Another benchmark may compile at the same time, or run the program.
  const fresh = `${program}-${Deno.pid}`;
  const args = ["-O2", "-Wall", "-Wextra", "-o", fresh, ...files];
  const { success, stderr } = await new Deno.Command("gcc", { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  await Deno.rename(fresh, program);
  return program;
}
