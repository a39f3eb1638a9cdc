/** The `client` blocks of a test, and the clients and connectors that its steps can name. */
import { didYouMean } from "../../base/nearest.ts";
import {
  attribute,
  type Field,
  type Fields,
  hasName,
  nameBlocks,
  type ReadContext,
  readFields,
  type Values,
} from "../../contract/fields.ts";
import { type Places, placesOf } from "../../contract/places.ts";
import { flag, text } from "../../contract/value-schema.ts";
import type { Block } from "../../hcl/tree.ts";
import type { ConnectorModel } from "../../model/mod.ts";
import type { TestClient } from "../../model/test.ts";
import type { Loading } from "../loading.ts";
import {
  address,
  anything,
  lowerCase,
  object,
  type Placed,
  placeOf,
  refuse,
  textMap,
  texts,
  within,
} from "./block.ts";

/** What is known of a client before the steps are. */
export type ClientModel = Omit<TestClient, "connects">;

/** Whom a step names. */
export type Subject = ({ readonly client: string } & Known) | {
  readonly connector: ConnectorModel;
};

/** What the steps must know of a client. */
export interface Known {
  /** Its connector reads tokens. */
  readonly verified: boolean;
  /** It only listens. */
  readonly sse: boolean;
}

/** A client that could not be read: it may have tokens. */
const UNREAD: Known = { verified: true, sse: false };

/** The clients and connectors of one test. */
export class Cast {
  readonly #loading: Loading;
  /** By name. */
  readonly #clients = new Map<string, Known>();
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
  add(client: string, known: Known = UNREAD): void {
    this.#clients.set(client, known);
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
    const known = this.#clients.get(name);
    if (known !== undefined) return { client: name, ...known };
    if (this.#anyClient && this.find(name) === undefined) return undefined;
    const connector = this.connector(name, block, context, [...this.#clients.keys()]);
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

/** The attributes of a `client` block. */
export const clientFields = {
  connector: attribute(text(), {
    about: "Where it connects; needed where several connectors have clients.",
  }),
  user_id: attribute(text(), {
    about: "Its user, which counts as verified if the connector has `auth`. None by default.",
  }),
  claims: attribute(object(), {
    about: "What its token says, where the connector has `auth`; no token is needed for that.",
  }),
  sse: attribute(flag(), {
    about: "Connects to the connector's `sse` path and only listens.",
    default: false,
  }),
  rooms: attribute(texts(), { about: "The rooms that it joins once it is connected." }),
  presence: attribute(anything(), {
    about:
      "The field `presence` of these joins: true asks for the members of the rooms; an object also " +
      "tells of the client.",
  }),
  params: attribute(textMap(), { about: "Query parameters of its handshake." }),
  headers: attribute(textMap(), { about: "Headers of its handshake." }),
  remote_addr: attribute(address(), {
    about: "The address that it comes from; one of its own by default.",
  }),
  reads: attribute(flag(), {
    about: "Whether it reads what is sent to it; if not, it is a slow client.",
    default: true,
  }),
} satisfies Fields;

/** The `client` blocks, which the cast knows from then on. */
export function clientsField(cast: Cast): Field<readonly Placed<ClientModel>[]> {
  return {
    kind: "block",
    about: "Connects before the first step, in the order written; its label names it in the steps.",
    type: "blocks",
    required: false,
    fields: clientFields,
    read(body, kind, _owner, context) {
      const { subject, report } = context;
      const blocks = body.blocks.filter(({ type }) => type === kind);
      if (context.misspelled?.has(kind) || !blocks.every(hasName)) cast.addUnread();
      return nameBlocks(blocks, kind, `${subject}: `, report).flatMap(([name, block]) => {
        const inner = within(context, kind, name);
        if (cast.find(name) !== undefined) {
          const hint = "choose another name for the client";
          const message = `${inner.subject}: a connector has this name, too`;
          report({ code: "duplicate-name", span: block.labels[0].span, message, hint });
        }
        const value = readClient(name, block, cast, inner);
        cast.add(name, value);
        return value === undefined ? [] : [{ block, value }];
      });
    },
  };
}

function readClient(
  name: string,
  block: Block,
  cast: Cast,
  context: ReadContext,
): ClientModel | undefined {
  const values = readFields(block.body, clientFields, block.headerSpan, context);
  const connector = findConnector(values, cast, context);
  if (connector === undefined) return undefined;
  const { definition: { source }, options } = connector;
  const verified = source?.verifies?.(options) === true;
  if (!verified) refuseIdentity(values, ["claims"], connector, context);
  if (values.rooms === undefined) {
    const message = "takes no presence: it joins no rooms";
    refuse(values, "presence", { code: "unused-attribute", message }, context);
  }
  if (values.sse && values.presence !== undefined && values.presence !== true) {
    const message = "takes no presence but true: a stream tells nothing of its client";
    refuse(values, "presence", { code: "invalid-value", message }, context);
  }
  if (values.sse && source?.streams?.(options) !== true) {
    context.report({
      code: "unused-attribute",
      span: placesOf(values).of("sse"),
      message:
        `${context.subject}: connector "${connector.name}" (${connector.type}) has no streams`,
      hint: 'its attribute sse says where they are, such as sse = "/events"',
    });
  }
  return {
    name,
    connector: connector.name,
    userId: values.user_id ?? null,
    claims: values.claims ?? null,
    verified,
    sse: values.sse,
    rooms: values.rooms ?? [],
    presence: values.presence,
    params: values.params ?? {},
    headers: lowerCase(values.headers),
    remoteAddress: values.remote_addr,
    reads: values.reads,
    place: placeOf(block),
  };
}

/** Reports attributes that only a connector with tokens can use. */
export function refuseIdentity(
  values: object,
  names: readonly string[],
  { name, type }: Pick<ConnectorModel, "name" | "type">,
  { subject, report }: ReadContext,
): void {
  const places: Places = placesOf(values);
  for (const attribute of names) {
    if (!places.has(attribute)) continue;
    report({
      code: "unused-attribute",
      span: places.nameOf(attribute),
      message: `${subject}: connector "${name}" (${type}) takes no ${attribute}: ` +
        "it reads no tokens",
      hint: "an auth block reads them",
    });
  }
}

function findConnector(
  values: Values<typeof clientFields>,
  cast: Cast,
  { subject, report }: ReadContext,
) {
  const candidates = cast.withClients;
  const names = candidates.map(({ name }) => name);
  const places = placesOf(values);
  if (!places.has("connector")) {
    if (candidates.length === 1) return candidates[0];
    if (candidates.length === 0 && cast.mayHaveMore) return undefined;
    if (candidates.length === 0) {
      const message = `${subject} has nothing to connect to: no connector has clients`;
      const hint = 'such as type = "websocket"';
      report({ code: "no-clients", span: places.header, message, hint });
    } else {
      const message = `${subject} needs the attribute "connector": several have clients`;
      const hint = `one of ${names.join(", ")}`;
      report({ code: "missing-attribute", span: places.header, message, hint });
    }
    return undefined;
  }
  const written = values.connector;
  if (written === undefined) return undefined;
  const found = cast.find(written);
  if (found !== undefined && hasClients(found)) return found;
  const span = places.of("connector");
  if (found !== undefined) {
    const message = `${subject}: connector "${written}" (${found.type}) has no clients`;
    const hint = names.length === 0 ? undefined : `one of ${names.join(", ")}`;
    report({ code: "no-clients", span, message, hint });
  } else if (!cast.mayExist(written)) {
    const message = `${subject}: there is no connector "${written}"`;
    report({ code: "unknown-connector", span, message, hint: didYouMean(written, names) });
  }
  return undefined;
}
