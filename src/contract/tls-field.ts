/** The field `tls` of a connector that is a client: `tls = true`, or a block with files. */
import type { Block } from "../hcl/tree.ts";
import {
  attribute,
  type Field,
  findBlocks,
  path,
  type ReadContext,
  readFields,
  type Values,
} from "./fields.ts";
import { misspelledOf, Places } from "./places.ts";
import { flag, text } from "./value-schema.ts";

const tlsFields = {
  ca: path({
    about:
      "A PEM file: the authorities that may have signed the server's certificate; those that " +
      "the runtime knows by default.",
  }),
  cert: path({ about: "A PEM file: this client's certificate and its chain." }),
  key: path({ about: "A PEM file: the private key of the certificate." }),
  server_name: attribute(text(), {
    about: "The name in the server's certificate; the host by default.",
  }),
};

/** How a server is verified, and the certificate of this client. The paths are absolute. */
export type ClientTls = Values<typeof tlsFields>;

/** The field itself; undefined without TLS. */
export function clientTlsField(): Field<ClientTls | undefined> {
  const about = "Encrypts the connection and verifies the server's certificate: true, or a block.";
  const plain = attribute(flag(), { about });
  return {
    kind: "either",
    about,
    required: false,
    type: "true or false",
    fields: tlsFields,
    read(body, name, owner, context) {
      const enabled = plain.read(body, name, owner, context);
      const [found] = findBlocks(body, name, 1, context);
      if (found === undefined) return enabled ? NO_FILES : undefined;
      if (new Places(body, owner).attribute(name) !== undefined) {
        const message = `${context.subject} has its ${name} twice: as an attribute and as a block`;
        const hint = "keep one of them";
        context.report({ code: "conflicting-attributes", span: found.typeSpan, message, hint });
      }
      const inner = { ...context, subject: `${context.subject}, ${name}` };
      const files = readFields(found.body, tlsFields, found.headerSpan, inner);
      requireBoth(found, inner);
      return files;
    },
  };
}

/** A certificate is of no use without its key, nor the key without it. */
function requireBoth({ body, headerSpan: span }: Block, { subject, report }: ReadContext): void {
  const places = new Places(body, span, misspelledOf(body, tlsFields));
  for (const [given, other] of [["cert", "key"], ["key", "cert"]]) {
    if (!places.has(given) || places.has(other) || places.misspelled.has(other)) continue;
    const message = `${subject} has "${given}", and needs the attribute "${other}" with it`;
    report({ code: "missing-attribute", span, message });
  }
}

/** TLS with what the runtime knows, and without a certificate of this client: `tls = true`. */
export const NO_FILES: ClientTls = {
  ca: undefined,
  cert: undefined,
  key: undefined,
  server_name: undefined,
};
