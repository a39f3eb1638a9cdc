/** The link of workers within one process: pipes in memory, of which a test can stop or cut the reading. */
import type { Clock } from "../../src/base/clock.ts";
import {
  FrameError,
  LinkHub,
  newInstanceId,
  type Pipe,
  type PipeListener,
  WorkerLink,
} from "../../src/cluster/mod.ts";
import { looseClock } from "./loose-clock.ts";

/** One direction: what is written arrives in a later turn of the event loop, in order. */
class OneWay implements Pipe {
  readonly #receive: (chunk: Uint8Array) => void;
  readonly #onClose: () => void;
  #waiting: (() => void)[] | undefined;
  #closed = false;
  /** How many bytes were written, and in how many writes. */
  bytes = 0;
  writes = 0;

  constructor(receive: (chunk: Uint8Array) => void, onClose: () => void) {
    this.#receive = receive;
    this.#onClose = onClose;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(new Error("closed"));
    this.bytes += bytes.length;
    this.writes++;
    return new Promise((resolve) => {
      const arrive = (): void => {
        resolve();
        if (!this.#closed) this.#receive(bytes);
      };
      setImmediate(() => this.#waiting === undefined ? arrive() : this.#waiting.push(arrive));
    });
  }

  close(): void {
    if (this.#closed) return;
    // After what was written before.
    setImmediate(() => setImmediate(() => this.cut()));
  }

  cut(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
  }

  stop(): void {
    this.#waiting ??= [];
  }

  goOn(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const arrive of waiting) arrive();
  }
}

/** A worker's link, and the hands of a test on it. */
export interface LinkedWorker {
  readonly instance: string;
  readonly link: WorkerLink;
  /** The bytes that it has sent. */
  readonly sent: number;
  /** The bytes that it was sent. */
  readonly received: number;
  /** The writes of it. */
  readonly writes: number;
  /** It reads nothing from now on. */
  hang(): void;
  /** It reads what has arrived meanwhile. */
  wakeUp(): void;
  /** Its process is killed. */
  kill(): void;
  /** Sends bytes to the hub as they are; returns why the hub refused them. */
  inject(bytes: Uint8Array): string | undefined;
}

/** A hub whose workers are in this process. */
export class MemoryLinks {
  readonly hub: LinkHub;
  readonly #clock: Clock;
  /** The instances for which messages were left out. */
  readonly lost: string[] = [];

  constructor(clock: Clock = looseClock) {
    this.#clock = clock;
    this.hub = new LinkHub({ clock, onLost: (instance) => void this.lost.push(instance) });
  }

  /** Adds a worker, which connects when its link is opened. */
  add(instance: string = newInstanceId()): LinkedWorker {
    let listener: PipeListener | undefined;
    const cut = (): void => {
      down.cut();
      up.cut();
    };
    const down = new OneWay((chunk) => listener?.read(chunk), () => {
      port.end();
      up.cut();
    });
    const port = this.hub.connect(instance, down);
    const inject = (bytes: Uint8Array): string | undefined => {
      try {
        port.read(bytes);
        return undefined;
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        cut();
        return error.message;
      }
    };
    const up = new OneWay((chunk) => void inject(chunk), () => {
      down.cut();
      listener?.end("has lost its connection");
    });
    const connect = (ends: PipeListener): Promise<Pipe> => {
      listener = ends;
      return Promise.resolve(up);
    };
    return {
      instance,
      link: new WorkerLink({ connect, clock: this.#clock }),
      get sent() {
        return up.bytes;
      },
      get received() {
        return down.bytes;
      },
      get writes() {
        return up.writes;
      },
      hang: () => down.stop(),
      wakeUp: () => down.goOn(),
      kill: cut,
      inject,
    };
  }
}
