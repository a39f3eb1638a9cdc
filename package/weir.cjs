#!/usr/bin/env node
// The command of the npm package. It is plain JavaScript, so that an old Node can parse it and say
// which versions work.
"use strict";

/** Says which versions of Node work; undefined if this one does. */
function nodeProblem(found) {
  const range = require("../package.json").engines.node; // Such as `^22.21.0 || >=24.9.0`.
  const [lts, newest] = range.split(" || ").map(numbers);
  const [major, minor] = numbers(found);
  const works = major === lts[0]
    ? minor >= lts[1]
    : major > newest[0] || (major === newest[0] && minor >= newest[1]);
  if (works) return undefined;
  return "weir needs Node " + lts.join(".") + " or a later Node " + lts[0] + ", or Node " +
    newest.join(".") + " or later; this is Node " + found;
}

/** The major and the minor version. */
function numbers(version) {
  return version.match(/\d+/g).slice(0, 2).map(Number);
}

const versions = process.versions;
const problem = versions.bun || versions.deno ? undefined : nodeProblem(versions.node);
if (problem === undefined) {
  const file = versions.deno ? "../src/cli-deno.js" : "../src/cli.js";
  import(file).then((command) => command.start());
} else {
  console.error("error: " + problem);
  process.exitCode = 3;
}
