/** A service of several workers, as the program that started it sees it. */
import type { ConnectorChoice, Counts, PublishOptions, Runtime } from "../runtime/core.ts";
import type { Supervisor } from "./supervisor.ts";

/** Hands what it is asked to the workers. It listens by itself, so there is nothing to mount. */
export class WorkersRuntime implements Runtime {
  readonly #supervisor: Supervisor;
  readonly #close: () => Promise<void>;

  /** `close` ends the whole service. */
  constructor(supervisor: Supervisor, close: () => Promise<void>) {
    this.#supervisor = supervisor;
    this.#close = close;
  }

  get app(): never {
    return refuse("app");
  }

  get endpoints(): never {
    return refuse("endpoints");
  }

  readonly fetch = (): never => refuse("fetch");

  async broadcast(data: unknown, choice: ConnectorChoice = {}): Promise<number> {
    return await this.#supervisor.call("broadcast", [data, choice]) as number;
  }

  async sendToRoom(room: string, data: unknown, choice: ConnectorChoice = {}): Promise<number> {
    return await this.#supervisor.call("sendToRoom", [room, data, choice]) as number;
  }

  async sendToUser(user: string, data: unknown, choice: ConnectorChoice = {}): Promise<number> {
    return await this.#supervisor.call("sendToUser", [user, data, choice]) as number;
  }

  async publish(key: string, body: unknown, options: PublishOptions = {}): Promise<void> {
    await this.#supervisor.call("publish", [key, body, options]);
  }

  counts(): Counts {
    const all = this.#supervisor.statuses.flatMap(({ counts }) => Object.entries(counts));
    const connectors = Map.groupBy(all, ([connector]) => connector);
    return Object.fromEntries(
      [...connectors].map((
        [connector, parts],
      ) => [connector, sumOf(parts.map(([, part]) => part))]),
    );
  }

  health(): Readonly<Record<string, string>> {
    return Object.assign({}, ...this.#supervisor.statuses.map(({ health }) => health));
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/** Adds up what stands under the same names. */
function sumOf(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const [name, count] of parts.flatMap((part) => Object.entries(part))) {
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return Object.fromEntries(sums);
}

function refuse(what: string): never {
  throw new TypeError(`a service of several workers listens by itself and has no ${what}`);
}
