/** `weir init`: creates a project in a folder. */
import { lstat, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { makeFolder } from "../../base/folder.ts";
import { commandSpecifier } from "../../server/host.ts";
import { type InitCommand, UsageError, workingDirectory } from "../arguments.ts";
import { TEMPLATE_URL } from "../usage.ts";
import { VERSION } from "../../base/version.ts";
import { nextSteps, originOf } from "./next-steps.ts";
import { projectFiles } from "./project.ts";

/** The generated modules: `docs/templates/` writes them from the examples. */
const TEMPLATE_FILES = {
  chat: () => import("./templates/chat.ts"),
  dashboard: () => import("./templates/dashboard.ts"),
  notifications: () => import("./templates/notifications.ts"),
  iot: () => import("./templates/iot.ts"),
} satisfies Record<InitCommand["template"], unknown>;
/** What the pages of all templates share. */
const SHARED_FILES = () => import("./templates/shared.ts");

/**
 * Writes the files of a project and prints the next steps. Returns the exit code.
 *
 * @throws {UsageError} Some of the files exist, or the folder cannot be created.
 */
export async function init({ folder, template }: InitCommand): Promise<number> {
  workingDirectory();
  const [shared, own] = await Promise.all([SHARED_FILES(), TEMPLATE_FILES[template]()]);
  const files = { ...shared.files, ...own.files, ...projectFiles(folder, VERSION) };
  const paths = await writeFiles(folder, files);
  console.log(`created ${folder} from the template "${template}":\n`);
  for (const path of paths) console.log(`  ${path}`);
  const origin = originOf({
    command: commandSpecifier(),
    versions: process.versions,
    userAgent: process.env.npm_config_user_agent,
  });
  console.log(`
next:
${nextSteps(origin, folder).map((line) => `  ${line}`).join("\n")}

It listens on ${TEMPLATE_URL}. ${join(folder, "README.md")} describes it.`);
  return 0;
}

/** Returns the paths that it has written. If one of them cannot be written, no file is left. */
async function writeFiles(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<string[]> {
  const texts = Object.entries(files).map(([path, text]) => [join(folder, path), text] as const);
  const paths = texts.map(([path]) => path).sort();
  await refuseExisting(paths);
  for (const path of new Set(paths.map((path) => dirname(path)))) {
    try {
      makeFolder(path);
    } catch (cause) {
      refuse(path, cause as NodeJS.ErrnoException);
    }
  }
  const written: string[] = [];
  for (const [path, text] of texts) {
    try {
      await writeFile(path, text, { flag: "wx" });
      written.push(path);
    } catch (cause) {
      for (const path of written) await rm(path);
      refuse(path, cause as NodeJS.ErrnoException);
    }
  }
  return paths;
}

async function refuseExisting(paths: readonly string[]): Promise<void> {
  const existing: string[] = [];
  for (const path of paths) if (await exists(path)) existing.push(path);
  const [last, ...others] = existing.toReversed();
  if (last === undefined) return;
  const list = others.length === 0
    ? `${last} already exists`
    : `${others.toReversed().join(", ")} and ${last} already exist`;
  throw new UsageError(`${list}; init does not overwrite files`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (cause) {
    const error = cause as NodeJS.ErrnoException;
    if (error.code === "ENOENT") return false;
    refuse(path, error);
  }
}

function refuse(path: string, cause: NodeJS.ErrnoException): never {
  throw new UsageError(`cannot create ${path}: ${REASONS[cause.code ?? ""] ?? cause.message}`, {
    cause,
  });
}

/** The messages are the same on every runtime. */
const REASONS: Readonly<Record<string, string>> = {
  EEXIST: "something else is there",
  ENOENT: "nothing can be created there",
  ENOTDIR: "a file is in the place of a folder",
  ELOOP: "its symbolic links lead in a circle",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system cannot be written",
  ENOSPC: "no space is left",
  ENAMETOOLONG: "the name is too long",
};
