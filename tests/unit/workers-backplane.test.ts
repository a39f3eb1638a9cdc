/** The workers' link obeys the rules of backplanes: in memory, and over sockets as between processes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { WorkerLink } from "../../src/cluster/mod.ts";
import { testBackplane } from "../../src/testing/mod.ts";
import { LinkServer } from "../../src/workers/link-server.ts";
import { connectToHub } from "../../src/workers/link-socket.ts";
import { MemoryLinks } from "../support/link.ts";

/** The value of each service, made when it is first asked for. */
function perService<T>(make: () => T): (service: string) => T {
  const made = new Map<string, T>();
  return (service) => {
    const value = made.get(service) ?? make();
    made.set(service, value);
    return value;
  };
}

const links = perService(() => new MemoryLinks());

testBackplane({
  test,
  name: "workers' link in memory",
  create: ({ service, instance }) => links(service).add(instance).link,
});

const servers: LinkServer[] = [];
const serverOf = perService(async () => {
  const server = new LinkServer({
    clock: systemClock,
    onLost: () => assert.fail("nothing is lost"),
    onBroken: (instance, reason) => assert.fail(`${instance} ${reason}`),
  });
  servers.push(server);
  await server.listen();
  return server;
});

testBackplane({
  test,
  name: "workers' link over sockets",
  async create({ service, instance }) {
    const address = (await serverOf(service)).admit(instance);
    return new WorkerLink({ connect: (listener) => connectToHub(address, listener) });
  },
});

test("the sockets are closed", async () => {
  await Promise.all(servers.map((server) => server.close()));
});
