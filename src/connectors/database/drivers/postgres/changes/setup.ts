/** What the server needs before changes can be read: tables, publication and slot. */
import type { Client } from "pg";
import { ConnectorError } from "../../../../../base/errors.ts";
import type { Logger } from "../../../../../contract/connector.ts";
import type { WantedTable } from "../../../changes/feed.ts";
import { TableError, wordsOf } from "../../../changes/table-error.ts";
import { problemOfDeadLetters } from "./dead-letters.ts";
import { publish } from "./publication.ts";
import {
  checkLogLevel,
  dropSlot,
  lookAtSlot,
  makeSlot,
  refuseForeignSlot,
  type SlotOwner,
  type SlotState,
} from "./slot.ts";
import { findTables, type Table } from "./tables.ts";

/** What is set up, and for whom. */
export interface SetupContext extends SlotOwner {
  readonly slot: string;
  readonly publication: string;
  readonly wanted: readonly WantedTable[];
  /** The table of dead letters, as configured. */
  readonly deadLetters: string | undefined;
  readonly logger: Logger;
  /** Counts and logs that changes are missing. */
  gap(reason: string): void;
}

/** What is there. */
export interface Setup {
  readonly tables: readonly Table[];
  /** What is wrong with the other tables, and with that of dead letters. */
  readonly problems: readonly string[];
  /** Undefined where `dry` found none. */
  readonly slot: SlotState | undefined;
}

/** Sets up, and remembers what was there before. */
export class Preparation {
  readonly #context: SetupContext;
  /** Whether there has been a slot, so that changes are missing where there is none any more. */
  #hadSlot = false;
  /** The tables that were published, by their names in SQL. */
  #published: ReadonlySet<string> = new Set();

  /** Changes nothing yet. */
  constructor(context: SetupContext) {
    this.#context = context;
  }

  /**
   * Makes what is missing. With `dry` it only looks.
   *
   * @throws {ConnectorError} It cannot be made; with `strict` also where something is wrong with a table.
   */
  async run(
    client: Client,
    { strict = false, dry = false }: { readonly strict?: boolean; readonly dry?: boolean },
  ): Promise<Setup> {
    const { connector, wanted, deadLetters } = this.#context;
    await checkLogLevel(client, connector);
    const { tables, problems: found } = await findTables(client, wanted);
    const lack = deadLetters && await problemOfDeadLetters(client, deadLetters);
    if (strict && lack) throw new ConnectorError(connector, lack, { permanent: true });
    if (strict && found.length > 0) throw new TableError(connector, found);
    const problems = [...found.map(wordsOf), ...(lack ? [lack] : [])];
    // Before the slot: what is decoded of the time before it would name a publication that is not there.
    await this.#publish(client, tables, dry);
    return { tables, problems, slot: await this.#slot(client, dry) };
  }

  /** The slot cannot be read from where it is: what was not confirmed is given up. */
  async renewSlot(client: Client, reason: string): Promise<void> {
    const { slot, gap } = this.#context;
    await dropSlot(client, this.#context, slot);
    await makeSlot(client, this.#context, slot);
    gap(reason);
  }

  async #publish(client: Client, tables: readonly Table[], dry: boolean): Promise<void> {
    const { connector, publication, logger, gap } = this.#context;
    const { made, added } = await publish(client, connector, publication, tables, dry);
    if (dry) return;
    const names = tables.map(({ shown }) => shown);
    if (made) {
      logger.info("made the publication {publication} for {tables}", {
        publication,
        tables: names.join(", "),
      });
    }
    const lost = tables.filter((table) =>
      added.includes(table) && this.#published.has(table.written)
    );
    if (lost.length > 0) {
      const which = lost.map(({ shown }) => shown).join(", ");
      gap(`the publication had lost ${which}: changes from then on are missing`);
    }
    this.#published = new Set([...this.#published, ...tables.map(({ written }) => written)]);
  }

  async #slot(client: Client, dry: boolean): Promise<SlotState | undefined> {
    const { connector, slot, logger, gap } = this.#context;
    const found = await lookAtSlot(client, slot);
    if (found?.usable === false) refuseForeignSlot(connector, slot);
    if (dry) return found;
    if (found?.lost && found.active === undefined) {
      await this.renewSlot(client, "the server has thrown away what the slot had not confirmed");
      return await lookAtSlot(client, slot);
    }
    if (found === undefined) {
      await makeSlot(client, this.#context, slot);
      if (this.#hadSlot) gap("the slot was dropped: changes from then on are missing");
      else logger.info("made the replication slot {slot}: changes are read from now on", { slot });
    }
    this.#hadSlot = true;
    return found ?? await lookAtSlot(client, slot);
  }
}
