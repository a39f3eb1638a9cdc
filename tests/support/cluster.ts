/** The members of a cluster within one process; they talk in JSON as between processes. */
import { type BirpcReturn, createBirpc } from "birpc";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import {
  ClusterMember,
  Coordinator,
  type CoordinatorFunctions,
  type MemberFunctions,
  type RemoteMember,
} from "../../src/cluster/mod.ts";
import { MemoryDedupeStore } from "../../src/flow/dedupe.ts";
import { type LinkedWorker, MemoryLinks } from "./link.ts";
import { looseClock } from "./loose-clock.ts";

/** A member with its connection. */
export interface LinkedMember {
  readonly member: ClusterMember;
  /** Its link to the others. */
  readonly ends: LinkedWorker;
  /** From now on it reads nothing, like a process whose event loop is blocked. */
  hang(): void;
  /** It reads what has arrived meanwhile. */
  wakeUp(): void;
  /** Its process has ended. */
  end(): void;
  /** Its coordinator has ended. */
  disconnect(): void;
}

/** One direction between two processes: what is sent arrives later, as text, in order. */
class Wire {
  #receive: (message: unknown) => void = () => {};
  #waiting: string[] | undefined;
  #cut = false;

  readonly post = (message: unknown): void => {
    const text = JSON.stringify(message);
    setImmediate(() => {
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

/** A coordinator as a supervisor has it. */
export function createCoordinator(): Coordinator {
  return new Coordinator({
    clock: systemClock,
    createDedupeStore: (maxKeys) => new MemoryDedupeStore(maxKeys),
  });
}

/** A coordinator without processes. */
export class TestCluster {
  readonly #coordinator = createCoordinator();
  readonly #links: MemoryLinks;
  #members = 0;

  /** The time of the links. */
  constructor(clock: Clock = looseClock) {
    this.#links = new MemoryLinks(clock);
  }

  /** Adds a member; the first is the leader. */
  add(): LinkedMember {
    const [down, up] = [new Wire(), new Wire()];
    const remote: RemoteMember = {
      lead: () => void functions.lead.asEvent(),
    };
    const functions: BirpcReturn<MemberFunctions, CoordinatorFunctions> = createBirpc(
      this.#coordinator.join(remote),
      { post: down.post, on: up.on, timeout: -1 },
    );
    const coordinator = createBirpc<CoordinatorFunctions, MemberFunctions>({
      lead: () => member.lead(),
      ping: () => {},
    }, { post: up.post, on: down.on, timeout: -1 });
    const ends = this.#links.add();
    const { instance, link } = ends;
    const member: ClusterMember = new ClusterMember({
      worker: ++this.#members,
      leader: this.#coordinator.isLeader(remote),
      instance,
      link,
      coordinator,
    });
    return {
      member,
      ends,
      hang: () => {
        down.stop();
        ends.hang();
      },
      wakeUp: () => {
        down.goOn();
        ends.wakeUp();
      },
      end: () => {
        ends.kill();
        down.cut();
        up.cut();
        this.#coordinator.leave(remote);
        functions.$close();
      },
      disconnect: () => {
        ends.kill();
        member.disconnect();
        coordinator.$close();
      },
    };
  }
}

/** Resolves when everything that was sent has arrived, and the answers to it. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve));
}
