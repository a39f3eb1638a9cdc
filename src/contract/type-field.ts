/** The word of a block's schema that names a `type` block. */
import type { DataType } from "../type/mod.ts";
import { type About, attribute, type Field, findAttribute } from "./fields.ts";
import { text } from "./value-schema.ts";

/** The name of a `type` block, whose compiled check is the value. */
export function dataType(options: About): Field<DataType | undefined> {
  const inner = attribute(text(), options);
  return {
    ...inner,
    type: "name of a type",
    read(body, name, owner, context) {
      const found = findAttribute(body, name, owner, false, context);
      if (found === undefined) return undefined;
      const type = inner.read(body, name, owner, context);
      const place = { span: found.valueSpan, subject: `${context.subject}: ${name}` };
      return type === undefined ? undefined : context.dataType?.(type, place);
    },
  };
}
