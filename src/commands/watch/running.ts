/** The service that `weir run --watch` runs, and how it is replaced. */
import type { Model } from "../../model/mod.ts";
import type { Service } from "../../server/mod.ts";
import type { RunCommand } from "../arguments.ts";
import { printError } from "../output.ts";
import { announce, type Ports, type Serve, titleOf } from "../start.ts";
import { type Candidate, isSame } from "./candidate.ts";

/** What the next service has to know of the one that it replaces. */
type Replaced = Pick<Service, "ports" | "admin" | "close">;

/** A signal has arrived, so nothing new is started. */
class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** At most one service, which another one replaces. */
export class Running {
  readonly #serve: Serve;
  readonly #options: Pick<RunCommand, "ports" | "adminPort">;
  readonly #signal: AbortSignal;
  #current: { readonly candidate: Candidate; readonly service: Service } | undefined;
  /** The ports of connectors that take any free one. They keep it, so that clients can reconnect. */
  #taken: Ports = {};
  /** The admin port, if it was any free one. */
  #takenAdmin: number | undefined;
  #hasStarted = false;
  /** Whether a service is being started, and no other one runs. */
  #isStarting = false;
  /** Whether the last change ended what runs, which was then started again. */
  #wasRestored = false;

  /** `options` are those of the command line. After the signal nothing is replaced. */
  constructor(
    serve: Serve,
    options: Pick<RunCommand, "ports" | "adminPort">,
    signal: AbortSignal,
  ) {
    this.#serve = serve;
    this.#options = options;
    this.#signal = signal;
  }

  /** What runs after a failure, as a clause. */
  get state(): string {
    if (this.#current === undefined) return "nothing is running";
    return `the previous configuration ${
      this.#wasRestored ? "was started again" : "keeps running"
    }`;
  }

  /** The model that runs; undefined if none does. */
  get model(): Model | undefined {
    return this.#current?.candidate.model;
  }

  /**
   * Waits for work that may end with `become`, which must not be called after the signal. The signal
   * ends the wait, since a plugin or a broker may take long. Only a service that is being started while
   * no other one runs is waited for, because it has to be closed.
   *
   * @throws {Error} That of `work`, or that there was a signal.
   */
  async untilSignal(work: Promise<void>): Promise<void> {
    const { promise: interrupted, reject } = Promise.withResolvers<never>();
    const interrupt = (): void => {
      if (!this.#isStarting) reject(new Interrupted());
    };
    this.#signal.addEventListener("abort", interrupt);
    this.#wasRestored = false;
    try {
      await Promise.race([work, interrupted]);
    } finally {
      this.#signal.removeEventListener("abort", interrupt);
    }
  }

  /**
   * Starts a configuration in place of the one that runs, unless both make the same server.
   *
   * @throws {Error} It cannot start. Then `state` says what runs.
   */
  async become(candidate: Candidate, startedAt: number): Promise<void> {
    const former = this.#current;
    if (former === undefined) {
      await this.#start(candidate);
      this.#announce(this.#hasStarted ? "restarted" : "is ready", startedAt);
      this.#hasStarted = true;
      return;
    }
    if (isSame(former.candidate, candidate)) {
      console.log(`${titleOf(candidate.model)} keeps running; the change does not affect it`);
      return;
    }
    const close = async (): Promise<void> => {
      if (this.#signal.aborted) throw new Interrupted();
      this.#current = undefined;
      this.#isStarting = true;
      // An error of the end of one service must not keep the next one from starting.
      await former.service.close().catch(printFailure);
      if (this.#signal.aborted) throw new Interrupted();
    };
    try {
      await this.#start(candidate, {
        ports: former.service.ports,
        admin: former.service.admin,
        close,
      });
    } catch (error) {
      if (this.#current === undefined && !this.#signal.aborted) {
        await this.#restore(former.candidate, error);
      }
      throw error;
    }
    this.#announce("restarted", startedAt);
  }

  /** Closes what runs. */
  async close(): Promise<void> {
    await this.#current?.service.close();
  }

  async #start(candidate: Candidate, replaces?: Replaced): Promise<void> {
    const { model } = candidate;
    const free = listenersWithAnyPort(model, this.#options.ports);
    const ports = { ...this.#options.ports, ...portsAgain(free, this.#taken) };
    const wanted = this.#options.adminPort ?? model.service.admin?.port;
    const adminPort = wanted === 0 ? this.#takenAdmin ?? 0 : this.#options.adminPort;
    this.#isStarting = replaces === undefined;
    try {
      const service = await this.#serve(model, { ports, adminPort, ...(replaces && { replaces }) });
      this.#current = { candidate, service };
    } finally {
      this.#isStarting = false;
    }
    const { service } = this.#current;
    this.#taken = pick(service.ports, free.flat());
    if (wanted === 0) this.#takenAdmin = service.admin?.port;
  }

  /** Starts what ran before, after its successor has failed in the last moment. */
  async #restore(former: Candidate, why: unknown): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.#start(former);
    } catch (error) {
      // Both have the same reason where a port was lost.
      if (String(error) !== String(why)) printFailure(error);
      return;
    }
    this.#wasRestored = true;
    this.#announce("restarted the previous configuration", startedAt);
  }

  /** Says nothing after the signal, since the service is about to be closed. */
  #announce(what: string, startedAt: number): void {
    const current = this.#current;
    if (current === undefined || this.#signal.aborted) return;
    announce(titleOf(current.candidate.model), what, startedAt, current.service);
  }
}

/** Prints any error: that of a foreign connector must not end what runs. */
export function printFailure(error: unknown): void {
  try {
    printError(error);
  } catch {
    console.error(error);
  }
}

/** The names of the connectors that take any free port. Those on one address share it. */
function listenersWithAnyPort({ connectors }: Model, ports: Ports): readonly string[][] {
  const free = [...connectors.values()].map(({ name, options }) => {
    const { host, port } = options as { readonly host?: unknown; readonly port?: unknown };
    return { name, address: `${host}:${port}`, port: ports[name] ?? port };
  }).filter(({ port }) => port === 0);
  return [...Map.groupBy(free, ({ address }) => address).values()]
    .map((members) => members.map(({ name }) => name));
}

/** The ports that these connectors had, one for each address, and none for two. */
function portsAgain(listeners: readonly string[][], taken: Ports): Ports {
  const again = new Map<number, string>();
  for (const names of listeners) {
    const [kept] = Object.entries(pick(taken, names)).filter(([, port]) => !again.has(port));
    if (kept !== undefined) again.set(kept[1], kept[0]);
  }
  return Object.fromEntries([...again].map(([port, name]) => [name, port]));
}

function pick(ports: Ports, names: readonly string[]): Ports {
  const known = names.filter((name) => Object.hasOwn(ports, name));
  return Object.fromEntries(known.map((name) => [name, ports[name]]));
}
