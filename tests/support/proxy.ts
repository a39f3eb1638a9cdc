/** A proxy before a server of TCP: it cuts, holds, swallows and delays what passes, and refuses connections. */
import { Buffer } from "node:buffer";
import { connect, createServer, type Server, type Socket } from "node:net";
import { keptPort } from "./ports.ts";

/** Which way bytes go. */
export type Direction = "to server" | "to client";

/** When a connection is to be cut. */
export interface Cut {
  readonly direction: Direction;
  /** After so many bytes in that direction, counted from now, all connections together. */
  readonly bytes?: number;
  /** When these bytes have come in that direction, such as `COMMIT`. They may come in parts. */
  readonly sequence?: string | Uint8Array;
  /**
   * Whether the other side still gets what has come, with the sequence; true by default. Then it acts
   * on a `COMMIT` whose answer nobody gets. Without, the sequence's last part does not pass.
   */
  readonly deliver?: boolean;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Nothing passes any more, not even the end of one side. */
  swallowed: boolean;
}

interface Pending extends Cut {
  /** What is left of `bytes`. */
  left: number;
  readonly resolve: () => void;
}

/** It passes on what comes until a test wants something else. */
export class Proxy {
  /** Where clients connect, also after connections were refused. */
  readonly port: number;
  /** When it has taken connections so far. */
  readonly times: number[] = [];
  /** How many milliseconds late it passes on what comes. */
  delay = 0;
  readonly #target: number;
  readonly #pairs = new Set<Pair>();
  readonly #cuts = new Set<Pending>();
  #listener: Server | undefined;
  #stalled = false;

  private constructor(port: number, target: number) {
    this.port = port;
    this.#target = target;
  }

  /** Opens one before a port of this machine. */
  static async open(target: number): Promise<Proxy> {
    const proxy = new Proxy(await keptPort(), target);
    await proxy.accept();
    return proxy;
  }

  /** How many connections it has taken so far. */
  get taken(): number {
    return this.times.length;
  }

  /** How many connections are open now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Ends all connections now, on both sides. */
  cut(): void {
    for (const pair of this.#pairs) destroy(pair);
  }

  /** Cuts the first connection that fulfils it, once; resolves when that has happened. */
  cutWhen(cut: Cut): Promise<void> {
    return new Promise((resolve) => {
      this.#cuts.add({ ...cut, left: cut.bytes ?? Infinity, resolve });
    });
  }

  /** Holds what comes from both sides, also on new connections. Nothing is lost. */
  stall(): void {
    this.#stalled = true;
    for (const { client, server } of this.#pairs) {
      client.pause();
      server.pause();
    }
  }

  /** Passes on what was held and what comes. */
  resume(): void {
    this.#stalled = false;
    for (const { client, server } of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  /**
   * Takes all that comes on the connections that are open now, and passes on nothing of it. Neither
   * side learns of the end of the other, as where a network is gone.
   */
  swallow(): void {
    for (const pair of this.#pairs) pair.swallowed = true;
  }

  /** Refuses new connections; those that are open go on. */
  refuse(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  /** Takes new connections again. */
  async accept(): Promise<void> {
    if (this.#listener !== undefined) return;
    const listener = createServer((client) => this.#take(client));
    this.#listener = listener;
    await new Promise<void>((resolve, reject) => {
      listener.once("error", reject);
      listener.listen(this.port, "127.0.0.1", resolve);
    });
  }

  /** Ends everything. */
  close(): void {
    this.refuse();
    this.cut();
  }

  #take(client: Socket): void {
    this.times.push(performance.now());
    const server = connect({ port: this.#target, host: "127.0.0.1", noDelay: true });
    client.setNoDelay(true);
    const pair = { client, server, swallowed: false };
    this.#pairs.add(pair);
    this.#pass(pair, client, server, "to server");
    this.#pass(pair, server, client, "to client");
  }

  #pass(pair: Pair, from: Socket, to: Socket, direction: Direction): void {
    let before = Buffer.alloc(0);
    from.on("error", () => {}); // "close" follows.
    from.on("close", () => {
      if (pair.swallowed && !to.destroyed) return;
      this.#pairs.delete(pair);
      to.destroySoon();
    });
    // A side that has ended, but whose other side does not learn of it, is done.
    from.on("end", () => pair.swallowed && from.destroy());
    from.on("data", (chunk: Buffer) => {
      if (pair.swallowed) return;
      const seen = Buffer.concat([before, chunk]);
      const due = this.#due(direction, seen, before.length);
      if (due !== undefined) {
        this.#cuts.delete(due.cut);
        if (due.deliver > 0) to.write(chunk.subarray(0, due.deliver));
        from.destroy();
        to.destroySoon();
        due.cut.resolve();
        return;
      }
      // The longest sequence that may have begun.
      before = seen.subarray(Math.max(0, seen.length - LONGEST));
      if (this.delay === 0) this.#write(from, to, chunk);
      else setTimeout(() => this.#write(from, to, chunk), this.delay);
    });
    if (this.#stalled) from.pause();
  }

  /** A side that reads slowly slows the other one down. */
  #write(from: Socket, to: Socket, chunk: Buffer): void {
    if (to.destroyed || to.write(chunk)) return;
    from.pause();
    to.once("drain", () => {
      if (!this.#stalled) from.resume();
    });
  }

  /** The cut that `seen` fulfils, and how many bytes of it, after `known` ones, still pass. */
  #due(
    direction: Direction,
    seen: Buffer,
    known: number,
  ): { readonly cut: Pending; readonly deliver: number } | undefined {
    for (const cut of this.#cuts) {
      if (cut.direction !== direction) continue;
      if (cut.sequence !== undefined) {
        const sequence = Buffer.from(cut.sequence);
        const end = seen.indexOf(sequence, Math.max(0, known - sequence.length + 1));
        if (end < 0) continue;
        return { cut, deliver: cut.deliver === false ? end - known : Infinity };
      }
      const fresh = seen.length - known;
      if (cut.left > fresh) cut.left -= fresh;
      else return { cut, deliver: cut.left };
    }
    return undefined;
  }
}

/** Sequences may be so long, in bytes. */
const LONGEST = 1024;

function destroy({ client, server }: Pair): void {
  client.destroy();
  server.destroy();
}
