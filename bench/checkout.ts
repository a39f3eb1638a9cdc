/** The tree of an earlier commit, which is measured beside today's. */
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The folder of a commit's tree, relative to the repository. */
export function folderOf(commit: string): string {
  return `bench/.build/${commit}`;
}

/** Says that the history of the repository lacks a commit; undefined where it has it. */
export async function missingCommit(commit: string): Promise<string | undefined> {
  const { success } = await git(["cat-file", "-e", `${commit}^{commit}`]);
  return success ? undefined : `commit ${commit} is not in this checkout`;
}

/**
 * Writes a commit's tree into its folder, with the packages of today's.
 *
 * @throws Error with the output of git or tar.
 */
export async function checkout(commit: string): Promise<void> {
  const folder = folderOf(commit);
  const packages = `${root}${folder}/node_modules`;
  if (await Deno.lstat(packages).catch(() => undefined) !== undefined) return;
  const archive = `${root}${folder}.tar`;
  await Deno.mkdir(`${root}${folder}`, { recursive: true });
  await succeed(git(["archive", "--output", archive, commit]));
  await succeed(run("tar", ["-xf", archive, "-C", `${root}${folder}`]));
  await Deno.remove(archive);
  // Written last: it tells that the rest is whole.
  await Deno.symlink(`${root}node_modules`, packages);
}

async function succeed(output: Promise<Deno.CommandOutput>): Promise<void> {
  const { success, stderr } = await output;
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

function git(args: readonly string[]): Promise<Deno.CommandOutput> {
  return run("git", args);
}

function run(program: string, args: readonly string[]): Promise<Deno.CommandOutput> {
  return new Deno.Command(program, { args: [...args], cwd: root }).output();
}
