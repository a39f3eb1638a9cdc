/** Workers of one service within one process: links to a switchboard, over JSON as between processes. */
import { type BirpcReturn, createBirpc } from "birpc";
import { Link } from "../../src/workers/link.ts";
import type { SupervisorFunctions, WorkerFunctions } from "../../src/workers/messages.ts";
import { type Member, Switchboard } from "../../src/workers/switchboard.ts";

/** A worker's link. */
export interface LinkedWorker {
  readonly link: Link;
  /** What it called at its supervisor, in order. */
  readonly called: string[];
  /** What is said to it waits from now on, as where its event loop stands still. */
  hang(): void;
  /** It reads what has waited. */
  wakeUp(): void;
  /** Its process is gone. */
  end(): void;
}

/** One direction between two processes: what is sent arrives later, as text, in order. */
class Wire {
  #receive: (message: unknown) => void = () => {};
  #waiting: string[] | undefined;
  #cut = false;

  readonly post = (message: unknown): void => {
    const text = JSON.stringify(message);
    setTimeout(() => {
      if (this.#waiting !== undefined) this.#waiting.push(text);
      else if (!this.#cut) this.#receive(JSON.parse(text));
    });
  };

  readonly on = (receive: (message: unknown) => void): void => {
    this.#receive = receive;
  };

  stop(): void {
    this.#waiting ??= [];
  }

  goOn(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const text of waiting) this.#receive(JSON.parse(text));
  }

  cut(): void {
    this.#cut = true;
  }
}

/** A supervisor without processes. */
export class Links {
  readonly #switchboard = new Switchboard();
  #leader = true;

  /** Adds a worker; the first is the leader. */
  add(): LinkedWorker {
    const [down, up] = [new Wire(), new Wire()];
    const called: string[] = [];
    const member: Member = {
      hear: (said) => void worker.hear.asEvent(said),
      answer: (connector, text) => worker.answer(connector, text),
      caughtUp: () => worker.caughtUp(),
    };
    const functions: SupervisorFunctions = {
      ...this.#switchboard.join(member),
      report: () => {},
      log: () => {},
    };
    const worker: BirpcReturn<WorkerFunctions, SupervisorFunctions> = createBirpc(functions, {
      post: down.post,
      on: up.on,
      timeout: -1,
    });
    const supervisor = createBirpc<SupervisorFunctions, WorkerFunctions>({
      start: () => Promise.reject(new Error("nothing to start")),
      lead: () => link.lead(),
      hear: (said) => link.hear(said),
      answer: (connector, text) => link.answer(connector, text),
      caughtUp: () => {},
      call: () => Promise.reject(new Error("nothing to call")),
      close: () => Promise.reject(new Error("nothing to close")),
    }, {
      post: (message: { readonly m?: string }) => {
        if (message.m !== undefined) called.push(message.m);
        up.post(message);
      },
      on: down.on,
      timeout: -1,
    });
    const link: Link = new Link(this.#leader, supervisor);
    this.#leader = false;
    return {
      link,
      called,
      hang: () => down.stop(),
      wakeUp: () => down.goOn(),
      end: () => {
        down.cut();
        up.cut();
        this.#switchboard.leave(member);
        worker.$close();
      },
    };
  }

  /** Adds a worker that hears the others. */
  async addAttending(): Promise<LinkedWorker> {
    const worker = this.add();
    await worker.link.attend();
    return worker;
  }
}

/** Resolves once all that was said has arrived, and what was answered to it. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setTimeout(resolve));
}
