/** The files that every new project has, whatever its template. */
import { basename, resolve } from "node:path";

/** The longest name that npm accepts. */
const MAX_NAME = 214;
/** The name of a project whose folder has no letters or digits that a package name can have. */
const DEFAULT_NAME = "weir-app";

const GITIGNORE = `# Databases
data/

# Packages that npm or Bun installed
node_modules/

# Environment variables, which can be secrets
.env
`;

const BUNFIG = `# Scripts of package.json run on Bun, also those of packages that name Node.
[run]
bun = true
`;

/** How each task calls `weir`. */
const TASKS = {
  start: "run --dotenv",
  dev: "run --dotenv --watch",
  check: "check --dotenv",
  test: "test --dotenv",
} as const;

/** The text of each file by its path, for a project in this folder with this version of Weir. */
export function projectFiles(folder: string, version: string): Record<string, string> {
  return {
    ".gitignore": GITIGNORE,
    "bunfig.toml": BUNFIG,
    "deno.json": json({
      // With a package.json beside it, Deno would else need a node_modules that is installed before.
      nodeModulesDir: "none",
      imports: {
        "@weir/runtime": `jsr:@weir/runtime@^${version}`,
        // A page has it from the server; editors and `deno check` find its types here.
        "/weir.js": `jsr:@weir/runtime@^${version}/client`,
      },
      // The files of the templates are formatted so.
      fmt: { lineWidth: 100 },
      tasks: tasks("deno run -A @weir/runtime/cli"),
    }),
    "package.json": json({
      name: packageName(folder),
      private: true,
      type: "module",
      scripts: tasks("weir"),
      dependencies: { "@weir/runtime": `^${version}` },
    }),
  };
}

/** The name of a folder as a name that npm accepts: `Ada's Büro` becomes `ada-s-buro`. */
export function packageName(folder: string): string {
  const name = basename(resolve(folder))
    .normalize("NFKD")
    .replaceAll(/\p{Mark}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9._~-]+/g, "-")
    .slice(0, MAX_NAME)
    .replaceAll(/^[._~-]+|[._~-]+$/g, "");
  return name === "" || name === "node_modules" || name === "favicon.ico" ? DEFAULT_NAME : name;
}

function tasks(weir: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(TASKS).map(([name, args]) => [name, `${weir} ${args}`]),
  );
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
