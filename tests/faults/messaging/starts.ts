/** The entries of "Downstream" about starts that never can succeed: credentials, and TLS. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openStage } from "../../support/process.ts";
import { serviceTest } from "../../support/services.ts";
import type { OwnServer } from "../../support/own-server.ts";
import { parsers } from "../hosts.ts";
import { RemoteServer } from "../server/remote.ts";
import { runtime } from "../stage.ts";
import type { ServerKind } from "./kind.ts";

/** A server, and what starts with these attributes. */
export interface Start<S extends OwnServer = OwnServer> {
  /** Starts the server. */
  open(): Promise<S>;
  /** Attributes with which a start succeeds. */
  good(server: S): string;
  /** Attributes with which it does not, by what is wrong, and what is said then. */
  wrong(server: S): Readonly<Record<string, readonly [attributes: string, says: RegExp]>>;
}

/** All of one kind of server. */
export interface Starts {
  readonly server: ServerKind;
  /** The attributes that name the connector's type and driver. */
  readonly type: string;
  /** What is refused: credentials, or how the server is verified. */
  readonly credentials: readonly Start[];
  readonly tls: readonly Start[];
}

/** Registers them. Each start is tried in one process, one after the other. */
export async function startEntries({ server, type, credentials, tls }: Starts): Promise<void> {
  const entry = async (text: string, starts: readonly Start[]): Promise<void> => {
    await serviceTest(server.service, `${runtime} serve: ${server.title}: ${text}`, async () => {
      for (const start of starts) await refuses(type, start);
      await ends(type, starts[0]);
    });
  };
  await entry(
    "wrong credentials at start → the start ends (exit 3), named, without the secret",
    credentials,
  );
  await entry(
    "whose certificate cannot be verified, or that gets none of the client → the start ends (exit 3), named",
    tls,
  );
}

/** A word in everything that no log and no error may say. */
export const SECRET = "wrong-secret";

async function refuses<S extends OwnServer>(type: string, start: Start<S>): Promise<void> {
  const server = await start.open();
  try {
    const good = await RemoteServer.start(parsers[0], configOf(type, start.good(server)));
    try {
      const response = await fetch(`http://127.0.0.1:${good.port}/health/ready`);
      assert.equal(response.status, 200, await response.text());
    } finally {
      await good.close();
    }
    for (const [what, [attributes, says]] of Object.entries(start.wrong(server))) {
      const began = performance.now();
      const { error } = await RemoteServer.fail(parsers[0], configOf(type, attributes))
        .catch((cause) => {
          throw new Error(`${what}: ${cause.message}`, { cause });
        });
      const ms = performance.now() - began;
      assert.equal(error.name, "ConnectorError", `${what}: ${error.message}`);
      assert.match(error.message, /^connector "broker": /, what);
      assert.match(error.message, says, what);
      assert.doesNotMatch(error.message, new RegExp(SECRET), what);
      assert.ok(ms < 6_000, `${what}: it took ${ms} ms`);
    }
  } finally {
    await server.end();
  }
}

/** The command ends with exit code 3. */
async function ends<S extends OwnServer>(type: string, start: Start<S>): Promise<void> {
  const server = await start.open();
  const stage = await openStage(runtime);
  try {
    const [[attributes, says]] = Object.values(start.wrong(server));
    await writeFile(join(stage.folder, "weir.hcl"), configOf(type, attributes));
    const { code, stdout, stderr } = await stage.weir(["run", "weir.hcl"]);
    assert.deepEqual([code, stdout], [3, ""], stderr);
    assert.match(stderr, /^error\[connector-failed\]: connector "broker": cannot start: /m);
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, new RegExp(SECRET));
  } finally {
    await stage.end();
    await server.end();
  }
}

function configOf(type: string, attributes: string): string {
  return `
    connector "ws" {
      type = "websocket"
      port = 0
    }
    connector "broker" {
      ${type}
      ${attributes}
    }
    flow "consume" {
      from {
        connector = "broker"
        operation = "there"
      }
      to {
        connector = "ws"
        operation = "broadcast"
      }
    }
  `;
}
