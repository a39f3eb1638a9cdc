/** Finds the module of a plugin. */
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { PluginError } from "../base/errors.ts";
import { messageOf } from "../base/shown.ts";
import { type Platform, platform } from "./platform.ts";
import { type PackageSpecifier, readSpecifier, urlOf } from "./specifier.ts";

/** The conditions of `exports` in a `package.json` that each platform has. */
const CONDITIONS: Readonly<Record<Platform, readonly string[]>> = {
  bun: ["bun", "node", "import", "module-sync"],
  deno: ["deno", "node", "import", "module-sync"],
  node: ["node", "import", "module-sync"],
};

/** The command that installs a package. */
const INSTALL: Readonly<Record<Platform, string>> = {
  bun: "bun add",
  deno: "deno add",
  node: "npm install",
};

/**
 * The URL of a module, or what Deno imports without one. Packages are looked for in the folders
 * `node_modules` of `folder` and of those above it.
 *
 * @throws {PluginError} There is no such file or package.
 */
export async function locate(specifier: string, folder: string): Promise<string> {
  const found = readSpecifier(specifier, folder);
  switch (found.kind) {
    case "registry":
      return specifier;
    case "file":
      return await locateFile(found.path);
    case "package":
      return await locatePackage(found, specifier, resolve(folder));
  }
}

async function locateFile(path: string): Promise<string> {
  const info = await stat(path).catch((cause) => {
    const reason = cause.code === "ENOENT" ? `there is no file ${path}` : cause.message;
    throw new PluginError("plugin-not-found", "does not exist", { cause, hint: reason });
  });
  if (info.isFile()) return urlOf(path);
  const hint = "name the file of the module, such as ./redis.ts";
  throw new PluginError("plugin-not-found", "is not a file", { hint });
}

async function locatePackage(
  wanted: PackageSpecifier,
  specifier: string,
  folder: string,
): Promise<string> {
  const { moduleResolve } = await import("import-meta-resolve");
  const parent = new URL(urlOf(join(folder, "configuration.js")));
  const { name, subpath } = wanted;
  let url: URL;
  try {
    url = moduleResolve(`${name}${subpath}`, parent, new Set(CONDITIONS[platform]));
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (await isInstalled(name, folder)) {
      const message = code === "ERR_PACKAGE_PATH_NOT_EXPORTED"
        ? `is not exported by the package ${name}`
        : `cannot be found in the package ${name}: ${messageOf(error)}`;
      throw new PluginError("plugin-not-found", message, { cause: error });
    }
    const mapped = platform === "deno" ? mappedByDeno(specifier) : undefined;
    return mapped ?? await refuseMissing(wanted, specifier, folder, error);
  }
  if (url.protocol !== "file:") {
    const hint = 'name a package such as "npm:weir-plugin-redis"';
    throw new PluginError("plugin-specifier", "is a module of the platform", { hint });
  }
  await requireVersion(wanted, folder);
  return url.href;
}

/** What the `imports` of Deno's own configuration make of a name; undefined if they lack it. */
function mappedByDeno(specifier: string): string | undefined {
  try {
    return import.meta.resolve(specifier);
  } catch {
    return undefined;
  }
}

async function refuseMissing(
  { name, version, registry }: PackageSpecifier,
  specifier: string,
  folder: string,
  cause: unknown,
): Promise<never> {
  const message =
    `is not installed: ${folder} and the folders above it have no node_modules/${name}`;
  const file = await stat(resolve(folder, specifier)).catch(() => undefined);
  if (file?.isFile()) {
    const hint = `write "./${specifier}" for the file of this name`;
    throw new PluginError("plugin-not-found", message, { cause, hint });
  }
  const hint = `run ${installing(name, version, registry)} there`;
  throw new PluginError("plugin-not-found", message, { cause, hint });
}

function installing(
  name: string,
  version: string | undefined,
  registry: PackageSpecifier["registry"],
): string {
  const what = version === undefined ? name : `${name}@${version}`;
  if (platform === "deno") return `deno add ${registry}:${what}`;
  if (registry === "jsr") return `${platform === "bun" ? "bunx" : "npx"} jsr add ${what}`;
  return `${INSTALL[platform]} ${what}`;
}

/** Whether a folder `node_modules` has the package. */
async function isInstalled(name: string, folder: string): Promise<boolean> {
  return await packageFolder(name, folder) !== undefined;
}

async function packageFolder(name: string, folder: string): Promise<string | undefined> {
  for (let at = folder;;) {
    const path = join(at, "node_modules", name);
    const info = await stat(path).catch(() => undefined);
    if (info?.isDirectory()) return path;
    const parent = resolve(at, "..");
    if (parent === at) return undefined;
    at = parent;
  }
}

/** Refuses a package of another version than the plugin names. */
async function requireVersion(wanted: PackageSpecifier, folder: string): Promise<void> {
  const { name, version, registry } = wanted;
  if (version === undefined) return;
  const { default: semver } = await import("semver");
  // A tag such as `latest` has no meaning for what is installed.
  if (semver.validRange(version) === null) return;
  const place = await packageFolder(name, folder);
  if (place === undefined) return;
  const manifest = JSON.parse(await readFile(join(place, "package.json"), "utf8"));
  if (semver.satisfies(manifest.version, version, { includePrerelease: true })) return;
  const message = `is installed in the version ${manifest.version}`;
  const hint = `run ${installing(name, version, registry)} in ${folder}`;
  throw new PluginError("plugin-not-found", message, { hint });
}
