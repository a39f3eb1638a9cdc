// Starts the command. It is a separate file because an old Node cannot parse `import()`.
"use strict";

import(process.versions.deno ? "../src/cli-deno.js" : "../src/cli.js")
  .then((command) => command.start());
