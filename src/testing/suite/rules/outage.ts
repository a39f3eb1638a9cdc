/** Rules about a service that is away for a while. */
import { ConnectorError } from "../../../base/errors.ts";
import { RecordingFlow } from "../flow.ts";
import { must, needs, show, until, within } from "../failure.ts";
import { consume, healthy, type Rule, withInstances } from "../rule.ts";
import type { Instance, Subject } from "../subject.ts";
import { checkError, errorOf } from "./destination.ts";
import { emit, operationOf, payloadOf } from "../events.ts";

const applies: Rule["applies"] = ({ outage }) => outage !== undefined;

/** How many milliseconds later an event happens again that has started no flow. */
const AGAIN = 200;

const away: Rule = {
  name: "away",
  title: "a connector starts while its service is away, says so, and connects later",
  applies,
  async check(subject) {
    await withFlow(subject, async (instance, flow) => {
      await subject.outage.stop();
      await needs("start", () => instance.start());
      await needs("start", () => instance.consume());
      await checkAway(subject, instance);
      await subject.outage.start();
      await checkBack(subject, instance, flow);
    });
  },
};

const recovery: Rule = {
  name: "recovery",
  title: "a connector says that its service went away, and connects again",
  applies,
  async check(subject) {
    await withFlow(subject, async (instance, flow) => {
      await needs("start", () => instance.start());
      await consume(subject, instance);
      await subject.outage.stop();
      await checkAway(subject, instance);
      await subject.outage.start();
      await checkBack(subject, instance, flow);
    });
  },
};

/** A connector with one flow, if it is a source. The service is back at the end. */
async function withFlow(
  subject: Subject,
  act: (instance: Instance, flow: RecordingFlow) => Promise<void>,
): Promise<void> {
  try {
    await withInstances(subject, async (make) => {
      const instance = await make();
      const flow = new RecordingFlow("waits");
      if (subject.options.source !== undefined) instance.subscribe(operationOf(subject), flow);
      await act(instance, flow);
    });
  } finally {
    await subject.outage.start();
  }
}

async function checkAway(subject: Subject, instance: Instance): Promise<void> {
  const { destination } = subject.options;
  await until(
    () => instance.connector.health?.() !== undefined,
    () => "the service is away, and health() returns undefined",
    subject.patience,
  );
  const reason: unknown = instance.connector.health?.();
  await needs("health", () => {
    must(typeof reason === "string" && reason.trim() !== "", `health() returned ${show(reason)}`);
  });
  if (destination === undefined) return;
  const payload = destination.payload ?? { text: "hello" };
  const writing = () => errorOf(instance, payload);
  const error = await within("write() while the service is away", writing, subject.patience);
  must(error !== undefined, "write() resolved while the service was away");
  const { value } = error;
  await needs("write-error", () => checkError(value, instance.name));
  must(
    !(value instanceof ConnectorError && value.permanent),
    "the error of write() is permanent, although the service may come back",
  );
}

async function checkBack(
  subject: Subject,
  instance: Instance,
  flow: RecordingFlow,
): Promise<void> {
  const { destination, source } = subject.options;
  await needs("health", () => healthy(instance, subject.patience));
  if (destination !== undefined) {
    const payload = destination.payload ?? { text: "hello" };
    const writing = () => instance.write(payload);
    await needs("write", () => within("write() after the outage", writing, subject.patience));
  }
  if (source === undefined) return;
  // What happens before it has subscribed again may be lost, so it happens again.
  const before = flow.events.length;
  let next = 0;
  const handled = async (): Promise<boolean> => {
    if (flow.events.length === before && performance.now() >= next) {
      await emit(subject, instance, payloadOf(subject));
      next = performance.now() + AGAIN;
    }
    return flow.events.length > before;
  };
  const seen = () => "the service is back, and no event has started the flow";
  await needs("events", () => until(handled, seen, subject.patience));
}

/** The rules about outages. */
export const outageRules: readonly Rule[] = [away, recovery];
