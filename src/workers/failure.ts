/** What came of something, on its way between a supervisor and its workers. */
import type { Result } from "./messages.ts";
import { fromWire, toWire } from "./wire.ts";

/** What a promise gives, or the parts of its error; never rejects. */
export async function resultOf<T>(act: () => Promise<T>): Promise<Result<T>> {
  try {
    return { value: await act() };
  } catch (error) {
    return { failure: toWire(error instanceof Error ? error : new Error(String(error))) };
  }
}

/** The value of a result. Throws the error that it tells of. */
export function valueOf<T>(result: Result<T>): T {
  if ("value" in result) return result.value;
  throw fromWire(result.failure);
}
