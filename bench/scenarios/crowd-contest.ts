/** A contest with one server and a crowd of clients. */
import { Crowd } from "../load/crowd.ts";
import { clockOf, treeOf } from "../processes.ts";
import type { Bench, Contest, Measurement } from "../scenario.ts";
import { Server, type ServerSpec } from "../servers.ts";

/** The parts of a contest. */
export interface CrowdContest {
  readonly spec: ServerSpec;
  /** A subprotocol, or `engine.io`. */
  readonly protocol?: string;
  /** Once, before the first round. */
  prepare(crowd: Crowd, server: Server): Promise<unknown>;
  /** Each round. */
  round(crowd: Crowd): Promise<Measurement>;
  /** Whether the server's children are workers, whose shares of the work are measured. */
  readonly workers?: boolean;
  /** Disposed of after the server has ended. */
  readonly also?: AsyncDisposable;
}

/** Starts the server and its crowd, which are kept for all rounds. */
export async function openContest(contest: CrowdContest, bench: Bench): Promise<Contest> {
  const { spec, protocol, prepare, round, also } = contest;
  await using stack = new AsyncDisposableStack();
  if (also !== undefined) stack.use(also);
  const server = stack.use(await Server.start(spec, bench.tools, bench.pinning));
  const crowd = stack.use(
    await Crowd.start({
      port: server.port,
      ...protocol === undefined ? {} : { protocol },
      ...spec.unpinned ? { command: bench.pinning.free } : {},
    }),
  );
  await prepare(crowd, server);
  // By now all its children are there.
  const processes = await treeOf(server.pid);
  await crowd.watch(processes);
  const running = stack.move();
  return {
    async measure() {
      const before = processes.slice(1).map(clockOf);
      const measurement = await round(crowd).catch((error) => explain(error, server));
      if (!contest.workers) return measurement;
      const spent = processes.slice(1).map((pid, index) => clockOf(pid) - before[index]);
      return {
        ...measurement,
        share: Math.max(...spent) / spent.reduce((sum, each) => sum + each),
      };
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Adds the output of a server that has ended to the error of its crowd. */
async function explain(error: Error, server: Server): Promise<never> {
  const words = await server.lastWords();
  throw words === undefined ? error : new Error(`${error.message}; ${words}`, { cause: error });
}
