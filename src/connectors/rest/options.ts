/** The attributes of a rest connector. */
import * as v from "valibot";
import { attribute, type Values } from "../../contract/fields.ts";
import { integer, size, text, type ValueSchema, valueSchema } from "../../contract/value-schema.ts";

/** `*` for any origin, or these; none where the list is empty. */
export type Origins = "*" | readonly string[];

const FORM = 'must be true for any origin, or a list of origins such as ["https://example.com"]';

/** True for any origin, false for none, or a list of exact origins. */
function origins(): ValueSchema<Origins> {
  return valueSchema(
    "true, false or origins",
    v.pipe(
      v.unknown(),
      v.rawTransform<unknown, Origins>(({ dataset: { value }, addIssue, NEVER }) => {
        if (value === true || value === "true") return "*";
        if (value === false || value === "false") return [];
        if (!Array.isArray(value)) {
          addIssue({ message: FORM });
          return NEVER;
        }
        const bad: unknown = value.find((item) => !isOrigin(item));
        if (bad !== undefined) {
          addIssue({ message: `has ${JSON.stringify(bad)}, which is not an origin\n${hint(bad)}` });
          return NEVER;
        }
        return value;
      }),
    ),
  );
}

/** The attributes of a `connector` block. */
export const fields = {
  port: attribute(integer({ max: 65535 }), {
    about: "The port it listens on; 0 takes a free one.",
    required: true,
  }),
  host: attribute(text(), { about: "The address it binds.", default: "0.0.0.0" }),
  cors: attribute(origins(), {
    about: "Lets pages of other origins call: true for any, or a list of exact origins.",
    default: false,
  }),
  max_body_size: attribute(size(), { about: "The largest body it reads.", default: "1MB" }),
};

/** The values of a `connector` block. */
export type RestOptions = Values<typeof fields>;

function isOrigin(value: unknown): boolean {
  return typeof value === "string" && URL.canParse(value) && new URL(value).origin === value;
}

function hint(value: unknown): string {
  if (value === "*") return "cors = true allows any origin";
  if (typeof value === "string" && URL.canParse(value)) {
    const { origin } = new URL(value);
    if (origin !== "null") return `did you mean "${origin}"?`;
  }
  return 'an origin is scheme, host and port, such as "https://example.com"';
}
