/** Two workers of a service, without processes. */
import { systemClock } from "../../base/clock.ts";
import { createGroup, LinkHub, newInstanceId, WorkerLink } from "../../cluster/mod.ts";
import type { Pipe, PipeListener } from "../../cluster/mod.ts";
import type { ConnectorCluster } from "../../contract/cluster.ts";
import type { Group } from "../../contract/instances.ts";
import { silent } from "./logger.ts";

/** What the workers share. */
class Service {
  /** What the first worker has read, by name. */
  readonly read = new Map<string, Promise<unknown>>();
  slots = 0;
}

/** What one worker brings to a connector. */
export interface WorkerParts {
  readonly cluster: ConnectorCluster;
  /** What links it with the other one. */
  readonly group: Group;
}

/** Two workers; the first is the leader. Their groups are not started. */
export function twoWorkers(): readonly [WorkerParts, WorkerParts] {
  const service = new Service();
  const hub = new LinkHub({ clock: systemClock, onLost() {} });
  return [workerOf(service, hub, 0), workerOf(service, hub, 1)];
}

function workerOf(service: Service, hub: LinkHub, index: number): WorkerParts {
  const id = newInstanceId();
  const backplane = new WorkerLink({ connect: (listener) => connect(hub, id, listener) });
  const group = createGroup({ id, backplane, clock: systemClock, logger: silent });
  return { cluster: clusterOf(service, index), group };
}

/** Connects a worker to the hub. What one side writes, the other reads later. */
async function connect(hub: LinkHub, id: string, listener: PipeListener): Promise<Pipe> {
  await Promise.resolve();
  const close = (): void => {
    port.end();
    listener.end("is closed");
  };
  const port = hub.connect(id, { write: later((bytes) => listener.read(bytes)), close });
  return { write: later((bytes) => port.read(bytes)), close };
}

function later(read: (bytes: Uint8Array) => void): Pipe["write"] {
  return async (bytes) => {
    await Promise.resolve();
    read(bytes);
  };
}

function clusterOf(service: Service, index: number): ConnectorCluster {
  return {
    worker: index + 1,
    leader: index === 0,
    whenLeader: (act) => index === 0 ? act(false) : Promise.resolve(),
    async readOnce<T>(name: string, read: () => Promise<T>): Promise<T> {
      const reading = service.read.get(name) ?? read();
      service.read.set(name, reading);
      return asJson(await reading) as T;
    },
    acquireSlot(limit) {
      if (service.slots >= limit) return Promise.resolve(false);
      service.slots++;
      return Promise.resolve(true);
    },
    releaseSlot: () => void service.slots--,
  };
}

/** A value as another process gets it. */
function asJson(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
}
