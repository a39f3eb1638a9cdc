/** Sentinels: they know which server takes writes, and are asked again all the time. */
import type { Logger } from "../../../../../contract/connector.ts";
import { type Address, describeNode, type Node } from "../settings.ts";
import { type Client, connectClient, inTime, makeClient, type Tls, tlsOf } from "./client.ts";
import { describe, FinalError, isFinal } from "./errors.ts";
import { Link, Outage } from "./link.ts";

/** Milliseconds for one Sentinel: another one may answer. */
const PATIENCE = 1500;

/** Where a server is. */
type Place = Pick<Node, "host" | "port">;

/** What is known of a server that Sentinels watch. */
interface Found {
  /** A connection to the one that has answered. */
  readonly client: Client;
  readonly place: Place;
}

/**
 * Asks the Sentinels, one after the other, where the server is.
 *
 * @throws {Error} None of them knows it.
 */
export async function locate(address: Address, signal: AbortSignal): Promise<Place> {
  const { client, place } = await find(address, await tlsOf(address), signal);
  client.destroy();
  return place;
}

/** Asks the Sentinels every second where the server is, as long as the process lives. */
export class Watch {
  readonly #link: Link;
  #place: string | undefined;

  /** Begins at once. */
  constructor(address: Address, master: string, logger: Logger) {
    const names = address.nodes.map(describeNode).join(", ");
    this.#link = new Link({
      outage: new Outage("Sentinel", names, logger),
      open: async (signal) => {
        const { client, place } = await find(address, await tlsOf(address), signal);
        this.#place = describeNode(place);
        return { client, id: 0, server: "sentinel", place: this.#place };
      },
      patient: true,
      beat: async (client) => {
        const place = await ask(client, master);
        if (place !== undefined) this.#place = describeNode(place);
      },
    });
  }

  /** Where the server is now; undefined where no Sentinel has told. */
  get place(): string | undefined {
    return this.#place;
  }

  /** Asks no more. */
  close(): void {
    this.#link.close();
  }
}

async function find(
  { nodes, sentinel = "" }: Address,
  encryption: Tls | undefined,
  signal: AbortSignal,
): Promise<Found> {
  const failures: unknown[] = [];
  for (const node of nodes) {
    const client = makeClient(node, { encryption });
    try {
      const place = await inTime(client, PATIENCE, signal, async () => {
        await connectClient(client);
        return await ask(client, sentinel);
      });
      if (place !== undefined) return { client, place };
      client.destroy();
      failures.push(new FinalError(`the Sentinel ${describeNode(node)} knows no "${sentinel}"`));
    } catch (error) {
      const Kind = isFinal(error) ? FinalError : Error;
      failures.push(new Kind(`the Sentinel ${describeNode(node)}: ${describe(error)}`));
    }
  }
  // One that is away may know what the others do not.
  throw failures.find((failure) => !isFinal(failure)) ?? failures[0];
}

async function ask(client: Client, master: string): Promise<Place | undefined> {
  const found = await client.sendCommand<readonly [string, string] | null>(
    ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", master],
  );
  return found === null ? undefined : { host: found[0], port: Number(found[1]) };
}
