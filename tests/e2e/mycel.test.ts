/** Files of Mycel beside those of Weir: every command reads both, and names the file of a problem. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stageTest } from "../support/process.ts";
import { runInSession } from "../support/weir-session.ts";

const API = `connector "api" {
  type = "rest"
  port = 0
}
`;

const GREET = `flow "greet" {
  from {
    connector = "api"
    operation = "GET /greet/:name"
  }
  response { text = "'Hello ' + input.name" }
}
`;

const TEST = `test "a greeting" {
  given "api" { operation = "GET /greet/Ada" }
  expect "api" { data = { text = "Hello Ada" } }
}
`;

stageTest("check and test read *.mycel beside *.hcl, in folders and as files", async (stage) => {
  const project = join(stage.folder, "project");
  await mkdir(join(project, "flows"), { recursive: true });
  await writeFile(join(project, "api.hcl"), API);
  await writeFile(join(project, "flows/greet.mycel"), GREET);
  await writeFile(join(project, "tests.mycel"), TEST);
  const cwd = { cwd: project };
  const good = await runInSession(stage, ["check"], cwd);
  assert.deepEqual([good.code, good.stdout], [0, "good: 1 connector, 1 flow, 1 test\n"]);
  const files = ["api.hcl", "flows/greet.mycel", "tests.mycel"];
  for (const paths of [[], ["."], files]) {
    const { code, stdout } = await runInSession(stage, ["test", ...paths], cwd);
    assert.equal(code, 0);
    assert.match(stdout, /^ok +a greeting$/m);
  }

  await writeFile(join(project, "flows/greet.mycel"), `${GREET}lock "one" {\n}\n`);
  for (const paths of [[], ["flows"], files]) {
    const { code, stderr } = await runInSession(stage, ["check", ...paths], cwd);
    assert.equal(code, 1);
    assert.ok(
      stderr.includes(
        'error[unknown-block]: there is no block "lock"\n ┌ flows/greet.mycel:8:1\n8│ lock "one" {\n │ ^^^^ ' +
          "only type and transform have names: write the block into each flow\n",
      ),
      stderr,
    );
  }
});
