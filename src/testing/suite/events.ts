/** What rules share about the events of a source. */
import { needs, pause, until, within } from "./failure.ts";
import type { RecordingFlow } from "./flow.ts";
import { consume, withInstances } from "./rule.ts";
import type { Instance, Subject } from "./subject.ts";

/** How long a wrong call has time to be made, in milliseconds. */
export const MOMENT = 100;

/** Runs a test with a source that consumes for these flows. */
export async function withConsuming<T>(
  subject: Subject,
  flows: readonly RecordingFlow[],
  act: (instance: Instance) => Promise<T>,
): Promise<T> {
  return await withInstances(subject, async (make) => {
    const instance = await make();
    for (const flow of flows) instance.subscribe(operationOf(subject), flow);
    await needs("start", () => instance.start());
    await consume(subject, instance);
    return await act(instance);
  });
}

/** Calls the author's `emit`, which may wait for the flow. Its failure is one of the rule "events". */
export async function emit(
  { options: { source }, patience }: Subject,
  { connector }: Instance,
  payload: unknown,
): Promise<void> {
  await needs(
    "events",
    () => within("emit()", () => source?.emit(payload, connector), patience),
  );
}

/** The same for a flow that fails, of which the author's client may hear. */
export async function emitTo(
  flow: RecordingFlow,
  subject: Subject,
  instance: Instance,
): Promise<void> {
  const before = flow.events.length;
  try {
    await emit(subject, instance, payloadOf(subject));
  } catch (error) {
    if (flow.events.length === before) throw error;
  }
}

/** Waits for an event, and meanwhile for what it starts. The first failure counts. */
export async function during(
  emitted: Promise<unknown>,
  act: () => Promise<unknown>,
): Promise<void> {
  await Promise.all([emitted, act()]);
}

/** Waits until no event comes any more. */
export async function quiet(flow: RecordingFlow): Promise<void> {
  let before = -1;
  for (let attempt = 0; attempt < 10 && before < flow.events.length; attempt++) {
    before = flow.events.length;
    await pause(MOMENT);
  }
}

/** Waits until as many runs of a flow have begun. */
export async function reached(
  { patience }: Subject,
  flow: RecordingFlow,
  count: number,
): Promise<void> {
  await until(
    () => flow.events.length >= count,
    () => `${count} events happened, and ${flow.events.length} have started the flow`,
    patience,
  );
}

/** The operation of the `from` block. */
export function operationOf({ options: { source } }: Subject): string | undefined {
  return source?.operation;
}

/** The payload of an event. */
export function payloadOf({ options: { source } }: Subject): unknown {
  return source?.payload ?? { text: "hello" };
}
