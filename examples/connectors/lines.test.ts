import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readConfigFiles, testConfig, testConnector } from "@weir/runtime/testing";
import { LinesServer } from "./lines-server.ts";

// The service, started before the configuration needs its port.
const server = new LinesServer();
await server.start();
after(() => server.stop());

// The rules of the contract.
testConnector({
  test,
  module: new URL("./lines.ts", import.meta.url),
  type: "lines",
  config: `
    connector "c" {
      type = "lines"
      host = "127.0.0.1"
      port = ${server.port}
    }
  `,
  mistakes: [
    'connector "c" {\n type = "lines"\n host = "localhost:4000"\n port = 4000\n}',
    'connector "c" {\n type = "lines"\n port = 70000\n}',
  ],
  destination: {
    to: 'target = "out"',
    received: () => server.published,
    refused: { payload: "secret" },
  },
  source: {
    operation: "in",
    emit: (payload) => server.publish("in", payload),
  },
  outage: server,
});

// The `test` blocks of the configuration, as `weir test` runs them.
const file = fileURLToPath(new URL("./lines.hcl", import.meta.url));
await testConfig(test, await readConfigFiles(file));
