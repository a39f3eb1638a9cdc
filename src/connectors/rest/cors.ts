/** The `cors` attribute: which pages of other sites may call. */
import * as v from "valibot";
import { type ValueSchema, valueSchema } from "../../contract/value-schema.ts";

/** Any origin, or these; none where the list is empty. */
export type Origins = "*" | readonly string[];

const FORM = 'must be true for any origin, or a list of origins such as ["https://example.com"]';

/** True for any origin, false for none, or a list of exact origins. */
export function origins(): ValueSchema<Origins> {
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
          addIssue({ message: `has ${JSON.stringify(bad)}, which is no origin\n${hint(bad)}` });
          return NEVER;
        }
        return value;
      }),
    ),
  );
}

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
