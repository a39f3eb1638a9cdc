/** The answer to the first event of a key, as text that a dedupe store keeps. */
import { integersAsJson } from "../base/json.ts";
import { isLongerThan } from "../base/text.ts";
import type { Outcome } from "../contract/connector.ts";

/** The longest answer that is kept, in bytes of its JSON. */
const LONGEST = 4096;

/**
 * The answer of an outcome as text. Undefined if there is nothing to answer, or if the answer is too
 * long to be kept or is not JSON.
 */
export function keptAnswer({ response, result, created = false }: Outcome): string | undefined {
  let json: string | undefined;
  try {
    json = JSON.stringify(response === undefined ? result : response.data, integersAsJson);
  } catch {
    // A cycle, for example: what the sender is told of it is up to the source.
    return undefined;
  }
  if (json === undefined) return created ? '{"created":true}' : undefined;
  if (isLongerThan(json, LONGEST)) return undefined;
  const name = response === undefined ? "result" : "data";
  return `{"created":${created},"${name}":${json}}`;
}

/** The outcome that `keptAnswer` made a text of. */
export function outcomeOf(text: string): Outcome {
  const { created, ...answer } = JSON.parse(text) as {
    readonly created: boolean;
    readonly data?: unknown;
    readonly result?: unknown;
  };
  const response = "data" in answer ? { data: answer.data } : undefined;
  return { response, result: answer.result, created };
}
