/** The client library where its surroundings fail: a captive portal, and a token that cannot be had. */
import assert from "node:assert/strict";
import type { Client } from "../../src/client/mod.ts";
import { SECRET } from "../support/auth.ts";
import { libraryTest, tokenFor } from "../support/library.ts";
import { openPortal } from "../support/portal.ts";
import { until } from "../support/socket-probe.ts";

const AUTH = `
  auth {
    jwt {
      secret = "${SECRET}"
    }
  }
`;

const flows = `
  flow "who" {
    from {
      connector = "ws"
      operation = "who"
    }
    response {
      exp = "client.claims.exp"
    }
  }
`;

/** The answer of the flow. */
async function expiryOf(client: Client): Promise<number> {
  const { exp } = await client.request("who", {}, { timeout: Infinity }) as {
    readonly exp: number;
  };
  return exp;
}

libraryTest(
  "client library: a captive portal is waited out, before the token and before the handshake",
  { attributes: AUTH, flows },
  async (library) => {
    const { proxy } = library;
    proxy.refuse();
    const portal = await openPortal(proxy.port);
    let token = async (): Promise<string> => {
      const response = await fetch(`http://127.0.0.1:${proxy.port}/token`);
      return (await response.json() as { readonly token: string }).token;
    };
    const client: Client = library.connect({ token: () => token() });
    const statuses: string[] = [];
    client.on("status", (status) => statuses.push(status));
    const asked = expiryOf(client);
    await until("a token that is a page", () => portal.answered() >= 2 && statuses.length >= 3);
    // The token comes from elsewhere now: the handshake gets the page.
    token = () => tokenFor("ada", 600);
    const before = portal.answered();
    await until("handshakes", () => portal.answered() >= before + 3, undefined, 60_000);
    assert.deepEqual(new Set(statuses), new Set(["waiting", "connecting"]));
    await portal.close();
    await proxy.accept();
    assert.ok(await asked > Date.now() / 1000);
    assert.equal(client.status, "open");
  },
);

libraryTest(
  "client library: a token is renewed before its `exp`, though the function fails once",
  { attributes: AUTH, flows },
  async (library) => {
    let asked = 0;
    const token = async (): Promise<string> => {
      if (++asked === 2) throw new Error("away for a moment");
      return await tokenFor("ada", asked * 60);
    };
    // It asks after 3 s, when half of its minute is over, and again half a second later.
    const client: Client = library.connect({ token, speed: 10 });
    const events: unknown[] = [];
    client.on("status", (status) => events.push(status));
    client.on("error", (error) => events.push(error));
    const first = await expiryOf(client);
    await until("a renewal", async () => await expiryOf(client) > first, 200, 60_000);
    assert.ok(Date.now() / 1000 < first, "before the first one has expired");
    assert.ok(asked >= 3, `asked ${asked} times`);
    // It was an `auth` frame: the connection is the same.
    assert.deepEqual(events, ["open"]);
    assert.equal(library.proxy.taken, 1);
  },
);
