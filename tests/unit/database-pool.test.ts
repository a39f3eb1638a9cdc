/** Why a pool has no connection, in the words of its error. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConnectionPool,
  type PooledConnection,
} from "../../src/connectors/database/drivers/connection-pool.ts";

function connection(): PooledConnection {
  return {
    isLost: false,
    isFree: true,
    onLost() {},
    destroy() {},
    end: () => Promise.resolve(),
  };
}

/** A pool whose attempts end as each of these says, and those after the last one not at all. */
function poolOf(
  ...attempts: readonly (() => PooledConnection)[]
): ConnectionPool<PooledConnection> {
  let next = 0;
  return new ConnectionPool<PooledConnection>({
    max: 1,
    acquireTimeout: 30,
    idleTimeout: 1_000,
    open: () => {
      const attempt = attempts[next++];
      return attempt === undefined ? new Promise(() => {}) : (async () => await attempt())();
    },
    isPermanent: () => false,
    describe: (error) => String((error as Error).message),
  });
}

async function reason(pool: ConnectionPool<PooledConnection>): Promise<string> {
  try {
    await pool.acquire();
  } catch (error) {
    return (error as Error).message;
  }
  return assert.fail("it has one");
}

const full = (): never => {
  throw new Error("the server is full");
};

test("all connections are in use", async () => {
  const pool = poolOf(connection);
  const first = await pool.acquire();
  assert.equal(await reason(pool), "no connection within 0.03 s; all 1 of its pool are in use");
  pool.release(first);
  assert.equal(pool.acquire(), first);
  await pool.close();
});

test("the server refuses another one, also where it was found to be there meanwhile", async () => {
  const pool = poolOf(full);
  const waiting = reason(pool);
  await Promise.resolve().then(() => pool.resume());
  assert.equal(await waiting, "no connection within 0.03 s: the server is full");
  await pool.close();
});

test("the server has not answered", async () => {
  const pool = poolOf();
  assert.equal(await reason(pool), "no connection within 0.03 s; the server has not answered");
  await pool.close();
});
