/** Rules about a service that is away for a while. */
import { ConnectorError } from "../../../base/errors.ts";
import { RecordingFlow } from "../flow.ts";
import { must, needs, show, until, within } from "../failure.ts";
import { healthy, type Rule, withInstances } from "../rule.ts";
import type { Instance, Subject } from "../subject.ts";
import { checkError } from "./destination.ts";
import { emit, operationOf, payloadOf, reached } from "./source.ts";

const applies: Rule["applies"] = ({ outage }) => outage !== undefined;

const away: Rule = {
  name: "away",
  title: "a connector starts while its service is away, says so, and connects later",
  applies,
  async check(subject) {
    await withFlow(subject, async (instance, flow) => {
      await subject.options.outage?.stop();
      await needs("start", () => instance.start());
      await needs("start", () => instance.consume());
      await checkAway(subject, instance);
      await subject.options.outage?.start();
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
      await needs("start", () => instance.consume());
      await needs("health", () => healthy(instance, subject.patience));
      await subject.options.outage?.stop();
      await checkAway(subject, instance);
      await subject.options.outage?.start();
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
    await subject.options.outage?.start();
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
  const settled = instance.write(payload)
    .then(() => undefined, (value: unknown) => ({ value }));
  const error = await within("write() while the service is away", () => settled, subject.patience);
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
  const before = flow.events.length;
  await emit(subject, instance, payloadOf(subject));
  await needs("events", () => reached(subject, flow, before + 1));
}

/** The rules about outages. */
export const outageRules: readonly Rule[] = [away, recovery];
