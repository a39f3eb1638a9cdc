/** Who the token of a test's frame or request is for. */
import { attribute, type Fields, type Values } from "../../contract/fields.ts";
import { text } from "../../contract/value-schema.ts";
import type { TestIdentity } from "../../model/test.ts";
import { object } from "./block.ts";

/** The attributes. */
export const identityFields = {
  user_id: attribute(text(), {
    about: "The user of the token, in a request or in a frame `auth`.",
  }),
  claims: attribute(object(), { about: "What the token says." }),
} satisfies Fields;

/** Their values; undefined without any. */
export function identityOf(
  { user_id: userId, claims }: Values<typeof identityFields>,
): TestIdentity | undefined {
  if (userId === undefined && claims === undefined) return undefined;
  return { userId: userId ?? null, claims: claims ?? null };
}
