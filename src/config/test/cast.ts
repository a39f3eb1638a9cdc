/** Those whom the steps of a test can name: its clients and the configuration's connectors. */
import type { ConnectorModel } from "../../model/mod.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { ReadContext } from "../../contract/fields.ts";
import type { TestClient } from "../../model/test.ts";
import type { Loading } from "../loading.ts";
import type { Block } from "../../hcl/tree.ts";

/** What is known of a client before the steps are. */
export type ClientModel = Omit<TestClient, "connects">;

/** Whom a step names. */
export type Subject = { readonly client: string } | { readonly connector: ConnectorModel };

/** The clients and connectors of one test. */
export class Cast {
  readonly #loading: Loading;
  readonly #clients = new Set<string>();
  #anyClient = false;

  /** Knows the connectors; clients are added. */
  constructor(loading: Loading) {
    this.#loading = loading;
  }

  /** From now on steps may name any client: one could not be read. */
  addUnread(): void {
    this.#anyClient = true;
  }

  /** From now on steps may name this client. */
  add(client: string): void {
    this.#clients.add(client);
  }

  /** The connectors that have clients. */
  get withClients(): readonly ConnectorModel[] {
    return [...this.#loading.connectors.values()].filter(hasClients);
  }

  /** The connector of this name; undefined for none, and where it could not be read. */
  find(name: string): ConnectorModel | undefined {
    return this.#loading.connectors.get(name);
  }

  /** Whether a connector of this name may be there although it could not be read. */
  mayExist(name: string): boolean {
    return this.#loading.declared.mayExist("connector", name);
  }

  /** Whether there may be connectors with clients beside those that could be read. */
  get mayHaveMore(): boolean {
    return this.#loading.declared.mayExceed("connector", this.#loading.connectors.size);
  }

  /** The client or connector that the label of a block names. Reports an unknown name. */
  subject(name: string, block: Block, context: ReadContext): Subject | undefined {
    if (this.#clients.has(name)) return { client: name };
    if (this.#anyClient && this.find(name) === undefined) return undefined;
    const connector = this.connector(name, block, context, [...this.#clients]);
    return connector && { connector };
  }

  /** The connector that the label of a block names; reports a name that none has. */
  connector(
    name: string,
    { labels, headerSpan }: Block,
    { subject, report }: ReadContext,
    others?: readonly string[],
  ): ConnectorModel | undefined {
    const found = this.#loading.connectors.get(name);
    if (found !== undefined || this.mayExist(name)) return found;
    const kinds = others === undefined ? "connector" : "client or connector";
    report({
      code: others === undefined ? "unknown-connector" : "unknown-subject",
      span: labels[0]?.span ?? headerSpan,
      message: `${subject}: there is no ${kinds} "${name}"`,
      hint: didYouMean(name, [...others ?? [], ...this.#loading.connectors.keys()]),
    });
    return undefined;
  }
}

/** Whether a connector has clients. */
export function hasClients({ definition }: ConnectorModel): boolean {
  return definition.source?.kind === "clients";
}
