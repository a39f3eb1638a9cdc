/** The words of Mycel inside of values and expressions. */
import { all, type Places } from "./words.ts";

/** Variables, functions and operators. */
export const expressionWords: Places = {
  variables: {
    enriched: { write: "step.NAME", note: "a `step` block takes the place of `enrich`" },
    auth: {
      write: "client.user_id",
      note: "or `client.claims.roles`; `client.user_id` is null without a token",
    },
    ctx: {
      write: "client.user_id",
      note: "or another field of `client`, such as `client.headers`",
    },
    captured: { write: "results.NAME", note: '`results.NAME` is the result of `to "NAME"`' },
    result: { write: "output", note: "in the `response` of the flow" },
    drop: { note: "Weir has no aspects: its metrics count refused messages" },
    ...all(["_flow", "_operation", "_target"], {
      note: "Weir has no aspects: write the name as text, such as `\"'create_user'\"`",
    }),
    _timestamp: { write: "now_unix()" },
    response: { note: "only `transform` has `use`: write the fields here" },
  },
  functions: {
    coalesce: {
      write: 'env("NAME", "default")',
      note: "outside of an expression; inside of one `coalesce` is the same",
    },
    base64encode: {
      write: "base64_encode",
      note: 'only inside of an expression, such as `"base64_encode(constants.key)"`',
    },
    base64decode: {
      write: "base64_decode",
      note: 'only inside of an expression, such as `"base64_decode(constants.key)"`',
    },
    abspath: {
      note: "leave it out: a relative path begins at the folder of the file that contains it",
    },
    ...all(["has_field", "field_requested", "requested_fields", "requested_top_fields"], {
      note: "Weir has no GraphQL: has(input.name) tells whether the event has the field",
    }),
  },
  operators: {
    "??": {
      write: "default(input.name, '')",
      note: "`default` replaces null and what is missing, not an empty text",
    },
  },
};
