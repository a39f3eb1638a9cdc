/** A contest of one server that a crowd of clients loads. */
import { Crowd } from "../load/crowd.ts";
import { treeOf } from "../processes.ts";
import type { Bench, Contest, Measurement } from "../scenario.ts";
import { Server, type ServerSpec } from "../servers.ts";

/** What happens in the contest. */
export interface CrowdContest {
  readonly spec: ServerSpec;
  /** A subprotocol, or `engine.io`. */
  readonly protocol?: string;
  /** Once, before the first round. */
  prepare(crowd: Crowd): Promise<unknown>;
  /** Each round. */
  round(crowd: Crowd): Promise<Measurement>;
  /** What else ends with the contest, after the server has ended. */
  readonly also?: AsyncDisposable;
}

/** Starts the server and its crowd, which stay from round to round. */
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
  await prepare(crowd);
  // By now all its children are there.
  await crowd.watch(await treeOf(server.pid));
  const running = stack.move();
  return {
    measure: () => round(crowd),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
