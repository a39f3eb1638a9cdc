/** All cases, and how each library meets them. */
import type { OfEach } from "../libraries/mod.ts";
import type { World } from "../world.ts";
import { type Cut, cut } from "./cut.ts";
import { type Numbered, numbered } from "./numbered.ts";
import { type Portal, portal } from "./portal.ts";
import { type Request, request } from "./request.ts";
import { type Restart, restart } from "./restart.ts";
import { type Sleep, sleep } from "./sleep.ts";
import { type Stall, stall } from "./stall.ts";
import { type Storm, storm } from "./storm.ts";
import { type Token, token } from "./token.ts";

/** What the cases have found, by their names. A library that cannot do something has no finding. */
export interface CaseFindings {
  readonly cut: OfEach<Cut>;
  readonly stall: OfEach<Stall>;
  readonly restart: OfEach<Restart>;
  readonly sleep: OfEach<Sleep>;
  readonly request: OfEach<Request>;
  readonly repeated: Partial<OfEach<Request>>;
  readonly deduped: Partial<OfEach<Request>>;
  readonly numbered: OfEach<Numbered>;
  readonly numberedDeduped: Partial<OfEach<Numbered>>;
  readonly token: OfEach<Token>;
  readonly portal: OfEach<Portal>;
  readonly storm: OfEach<Storm>;
}

/** The name of a case. */
export type CaseName = keyof CaseFindings;

/** A case. */
export interface Case<F> {
  /** It waits most of the time: others may run beside it. */
  readonly waits?: boolean;
  readonly runs: {
    readonly [L in keyof F]: (world: World) => Promise<NonNullable<F[L]>>;
  };
}

/** The same for each library. */
function each<F>(run: (world: World) => Promise<F>): OfEach<(world: World) => Promise<F>> {
  return { weir: run, socketio: run, centrifuge: run };
}

const retried = (world: World) => request(world, { retry: true });
const numbers = (world: World) => numbered(world, { retry: true });

/** The cases. centrifuge-js repeats nothing, and only Weir's server leaves out repetitions. */
export const cases: { readonly [N in CaseName]: Case<CaseFindings[N]> } = {
  sleep: { waits: true, runs: each(sleep) },
  stall: { waits: true, runs: each(stall) },
  token: { waits: true, runs: each(token) },
  portal: { waits: true, runs: each(portal) },
  cut: { runs: each(cut) },
  restart: { runs: each(restart) },
  request: { runs: each((world) => request(world)) },
  repeated: { runs: { weir: retried, socketio: retried } },
  deduped: {
    runs: { weir: (world) => request(world, { retry: true, dedupe: true }) },
  },
  numbered: { runs: each(numbers) },
  numberedDeduped: {
    runs: { weir: (world) => numbered(world, { retry: true, dedupe: true }) },
  },
  storm: { runs: each(storm) },
};
