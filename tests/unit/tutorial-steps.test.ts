/** What the test of docs/tutorial.md understands of a page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { stepsOf } from "../support/tutorial-steps.ts";

const block = (language: string, text: string) => `\n\`\`\`${language}\n${text}\n\`\`\`\n`;

test("tutorial: files, commands, outputs and sentences are steps, in the order of the page", () => {
  const page = `Write \`a.hcl\`:\n${block("hcl", "a")}
Press Ctrl-C in the first terminal, and start it again:\n${block("sh", "weir run --watch")}
In \`a.hcl\`, change \`a\` to
\`b\`. The first terminal prints:\n${block("text", "b …")}
Ask it:\n${block("sh", "curl \\\n  x\nls")}${block("text", "c")}`;
  assert.deepEqual(stepsOf(page), [
    { kind: "write", file: "a.hcl", text: "a\n" },
    { kind: "stop" },
    { kind: "start", command: "weir run --watch" },
    { kind: "change", file: "a.hcl", from: "a", to: "b" },
    { kind: "server", text: "b …\n" },
    { kind: "run", commands: ["curl x", "ls"] },
    { kind: "output", text: "c\n" },
  ]);
});

test("tutorial: a block that nothing introduces is refused", () => {
  assert.throws(() => stepsOf(`Here it is:\n${block("hcl", "a")}`), /what is this block for/);
  assert.throws(() => stepsOf(`It says:\n${block("text", "a")}`), /whose output is this/);
  const late = `${block("sh", "ls")}\nThat is all.\n${block("text", "a")}`;
  assert.throws(() => stepsOf(late), /whose output is this/);
});
