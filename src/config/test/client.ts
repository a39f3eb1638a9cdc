/** `client` blocks: the clients that are connected when a test begins. */
import {
  attribute,
  type Field,
  type Fields,
  hasName,
  nameBlocks,
  readFields,
  type Values,
} from "../../contract/fields.ts";
import { text } from "../../contract/value-schema.ts";
import { placesOf } from "../../contract/places.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { ReadContext } from "../../contract/fields.ts";
import type { Block } from "../../hcl/tree.ts";
import { lowerCase, object, type Placed, placeOf, textMap, texts, within } from "./block.ts";
import { type Cast, type ClientModel, hasClients } from "./cast.ts";

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
  rooms: attribute(texts(), { about: "The rooms that it joins once it is connected." }),
  params: attribute(textMap(), { about: "Query parameters of its handshake." }),
  headers: attribute(textMap(), { about: "Headers of its handshake." }),
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
        cast.add(name);
        const value = readClient(name, block, cast, inner);
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
  const places = placesOf(values);
  const connector = findConnector(values, cast, context);
  if (connector === undefined) return undefined;
  const { definition: { source }, options, type } = connector;
  const verified = source?.verifies?.(options) === true;
  if (places.has("claims") && !verified) {
    context.report({
      code: "unused-attribute",
      span: places.nameOf("claims"),
      message: `${context.subject}: connector "${connector.name}" (${type}) takes no claims: ` +
        "it reads no tokens",
      hint: "an auth block reads them",
    });
  }
  return {
    name,
    connector: connector.name,
    userId: values.user_id ?? null,
    claims: values.claims ?? null,
    verified,
    rooms: values.rooms ?? [],
    params: values.params ?? {},
    headers: lowerCase(values.headers),
    place: placeOf(block),
  };
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
