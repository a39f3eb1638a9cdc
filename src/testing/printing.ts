/** The lines that `weir test` prints while it runs tests. */
import { formatPlayers, type Player, type Players } from "./players.ts";
import { formatResult, type TestResult } from "./report.ts";

/** Says why mocks alone play a service once, in front of the first test that it is about. */
export class Printer {
  readonly #players: Players;
  readonly #told = new Set<Player>();

  /** `players` are those of the tests. */
  constructor(players: Players) {
    this.#players = players;
  }

  /** The lines of a test that has just run. */
  result(result: TestResult): readonly string[] {
    const mocked = this.#players.all.filter(({ by }) => by === "mocks");
    const news = mocked.filter((player) => !this.#told.has(player));
    for (const player of news) this.#told.add(player);
    const reasons = mocked.flatMap(({ reason }) => reason ?? []);
    return [...formatPlayers(news), formatResult(result, reasons)];
  }

  /** The lines behind all tests: what else has played the services. */
  get players(): readonly string[] {
    return formatPlayers(this.#players.all.filter((player) => !this.#told.has(player)));
  }
}
