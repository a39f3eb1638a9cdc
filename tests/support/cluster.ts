/** The members of a cluster within one process; they talk in JSON as between processes. */
import { type BirpcReturn, createBirpc } from "birpc";
import { systemClock } from "../../src/base/clock.ts";
import {
  ClusterMember,
  Coordinator,
  type CoordinatorFunctions,
  type MemberFunctions,
  type RemoteMember,
} from "../../src/cluster/mod.ts";
import { MemoryDedupeStore } from "../../src/flow/dedupe.ts";

/** A member with its connection. */
export interface LinkedMember {
  readonly member: ClusterMember;
  /** The functions of the coordinator that it called, in order. */
  readonly called: string[];
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

  /** Adds a member; the first is the leader. */
  add(): LinkedMember {
    const [down, up] = [new Wire(), new Wire()];
    const called: string[] = [];
    const remote: RemoteMember = {
      lead: () => void functions.lead.asEvent(),
      deliver: (messages) => void functions.deliver.asEvent(messages),
      respond: (connector, text) => functions.respond(connector, text),
      ping: () => functions.ping(),
    };
    const functions: BirpcReturn<MemberFunctions, CoordinatorFunctions> = createBirpc(
      this.#coordinator.join(remote),
      { post: down.post, on: up.on, timeout: -1 },
    );
    const coordinator = createBirpc<CoordinatorFunctions, MemberFunctions>({
      lead: () => member.lead(),
      deliver: (messages) => member.deliver(messages),
      respond: (connector, text) => member.respond(connector, text),
      ping: () => {},
    }, {
      post: (message: { readonly m?: string }) => {
        if (message.m !== undefined) called.push(message.m);
        up.post(message);
      },
      on: down.on,
      timeout: -1,
    });
    const member: ClusterMember = new ClusterMember(
      this.#coordinator.isLeader(remote),
      coordinator,
    );
    return {
      member,
      called,
      hang: () => down.stop(),
      wakeUp: () => down.goOn(),
      end: () => {
        down.cut();
        up.cut();
        this.#coordinator.leave(remote);
        functions.$close();
      },
      disconnect: () => {
        member.disconnect();
        coordinator.$close();
      },
    };
  }

  /** Adds a member that receives the messages of the others. */
  async addSubscribed(): Promise<LinkedMember> {
    const linked = this.add();
    await linked.member.subscribe();
    return linked;
  }
}

/** Resolves when everything that was sent has arrived, and the answers to it. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve));
}
