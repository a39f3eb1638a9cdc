/** Ports of this machine. */
import { randomInt } from "node:crypto";
import { type AddressInfo, createServer } from "node:net";

/** A port where nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * The same for a server that is stopped and started again: a port that no system selects for a
 * program that asks for any, so that no other program gets it meanwhile.
 */
export async function keptPort(): Promise<number> {
  const [port] = await keptPorts(1);
  return port;
}

/** Such ports, one after the other. */
export async function keptPorts(count: number): Promise<number[]> {
  for (let tries = 0; tries < 20; tries++) {
    const first = randomInt(15_000, 30_000);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    const free = await Promise.all(ports.map(isFree));
    if (free.every((one) => one)) return ports;
  }
  throw new Error("twenty ports between 15000 and 30000 are in use");
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}
