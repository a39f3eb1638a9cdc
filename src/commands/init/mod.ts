/** `weir init`: makes a new configuration in a folder. */
import { lstat, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type InitCommand, UsageError } from "../arguments.ts";
import { shellWord, weirCommand } from "./invocation.ts";

/** The generated modules: `docs/templates.ts` writes them from the examples. */
const TEMPLATE_FILES = {
  chat: () => import("./templates/chat.ts"),
  dashboard: () => import("./templates/dashboard.ts"),
  notifications: () => import("./templates/notifications.ts"),
  iot: () => import("./templates/iot.ts"),
} satisfies Record<InitCommand["template"], unknown>;

/**
 * Writes a template's files and prints what can be done with them.
 *
 * @throws {UsageError} One of the files is there already, or the folder cannot be made.
 */
export async function init({ folder, template }: InitCommand): Promise<number> {
  const files = Object.entries((await TEMPLATE_FILES[template]()).files);
  for (const [path] of files) await refuseExisting(join(folder, path));
  try {
    for (const [path] of files) await mkdir(dirname(join(folder, path)), { recursive: true });
    for (const [path, text] of files) await writeFile(join(folder, path), text, { flag: "wx" });
  } catch (cause) {
    throw new UsageError(`${folder} cannot be made: ${(cause as Error).message}`, { cause });
  }
  console.log(`weir has made ${folder} from the template "${template}":\n`);
  for (const [path] of files) console.log(`  ${join(folder, path)}`);
  const weir = weirCommand();
  const where = shellWord(folder);
  console.log(`
next:
  ${weir} run --watch ${where}
  ${weir} test ${where}

It listens on http://localhost:3000, and ${join(folder, "README.md")} says what it does.`);
  return 0;
}

async function refuseExisting(path: string): Promise<void> {
  const found = await lstat(path).catch(({ code, message }) => {
    // A file where a folder has to be is for mkdir to complain of.
    if (code === "ENOENT") return undefined;
    throw new UsageError(`${path} cannot be made: ${message}`);
  });
  if (found === undefined) return;
  throw new UsageError(`${path} is there already; init needs a folder without it`);
}
