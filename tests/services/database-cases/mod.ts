/** The cases that every database must pass, by topic. */
import { concurrent } from "./concurrent.ts";
import { errors } from "./errors.ts";
import { flows } from "./flows.ts";
import { names } from "./names.ts";
import { operations } from "./operations.ts";
import { queries } from "./queries.ts";
import { schema } from "./schema.ts";
import type { Topic } from "./subject.ts";
import { data } from "./values-data.ts";
import { numbers } from "./values-numbers.ts";
import { refused } from "./values-refused.ts";
import { text } from "./values-text.ts";

/** Each has a database of its own. */
export const topics: Readonly<Record<string, Topic>> = {
  operations,
  queries,
  "values: text": text,
  "values: numbers": numbers,
  "values: data": data,
  "values: refused": refused,
  errors,
  names,
  "changes of tables": schema,
  concurrent,
  flows,
};
