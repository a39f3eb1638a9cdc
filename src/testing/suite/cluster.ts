/** Two workers of a service, without processes. */
import type { Channel, ConnectorCluster } from "../../contract/cluster.ts";

/** What the workers share. */
class Service {
  /** The receivers of all workers, by worker. */
  readonly receivers: ((message: unknown) => unknown)[] = [];
  /** What the first worker has read, by name. */
  readonly read = new Map<string, Promise<unknown>>();
  slots = 0;
}

/** The cluster as one connector sees it, for each of two workers. The first is the leader. */
export function twoWorkers(): readonly [ConnectorCluster, ConnectorCluster] {
  const service = new Service();
  return [memberOf(service, 0), memberOf(service, 1)];
}

function memberOf(service: Service, index: number): ConnectorCluster {
  return {
    leader: index === 0,
    whenLeader: (act) => index === 0 ? act(false) : Promise.resolve(),
    channel: channelOf(service, index),
    requests: [],
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

function channelOf({ receivers }: Service, index: number): Channel {
  const others = () => receivers.filter((_, other) => other !== index);
  return {
    publish(message) {
      const sent = asJson(message);
      // Another process receives it later.
      queueMicrotask(() => others().forEach((receive) => receive(asJson(sent))));
      return undefined;
    },
    async request(message) {
      const sent = asJson(message);
      await Promise.resolve();
      return others().map((receive) => asJson(receive(asJson(sent))));
    },
    subscribe: (receive) => void (receivers[index] = receive),
  };
}

/** A value as another process gets it. */
function asJson(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
}
