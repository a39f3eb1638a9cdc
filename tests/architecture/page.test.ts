/** docs/architecture.md names files and folders that exist. */

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { read, root } from "./graph.ts";

test("every file and folder that docs/architecture.md names exists", async () => {
  const page = await read("docs/architecture.md");
  const paths = ["/mod.ts"];
  for (const folder of ["src", "tests", "examples", "docs", "package", "executable", "deploy"]) {
    paths.push(`/${folder}`);
    for (const path of await readdir(`${root}${folder}`, { recursive: true })) {
      paths.push(`/${folder}/${path}`);
    }
  }
  const named = [...page.matchAll(/`([\w./-]+(?:\.ts|\.md|\/))`/g)].map(([, path]) =>
    path.replace(/\/$/, "")
  );
  assert.ok(named.length > 60, `${named.length} paths`);
  const missing = named.filter((path) => !paths.some((known) => known.endsWith(`/${path}`)));
  assert.deepEqual(missing, []);
});
