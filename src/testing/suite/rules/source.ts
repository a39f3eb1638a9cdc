/** Rules about the events of a source, and the flows that they start. */
import { isObject } from "../../../base/json.ts";
import type { FlowEvent } from "../../../contract/connector.ts";
import { held, permanent, RecordingFlow, temporary } from "../flow.ts";
import { must, needs, pause, Seen, show, textOf, until, within } from "../failure.ts";
import {
  during,
  emit,
  emitTo,
  MOMENT,
  operationOf,
  payloadOf,
  quiet,
  reached,
  withConsuming,
} from "../events.ts";
import { VALUES } from "../options.ts";
import { consume, type Rule, withInstances } from "../rule.ts";
import { equal } from "./destination.ts";

const applies: Rule["applies"] = ({ source }) => source !== undefined;

/** How many events happen while a flow is busy. */
const MANY = 10;

const events: Rule = {
  name: "events",
  title: "an event starts its flow, after consume() and with all that a flow needs",
  applies,
  async check(subject) {
    await withInstances(subject, async (make) => {
      const instance = await make();
      const flow = new RecordingFlow("one");
      instance.subscribe(operationOf(subject), flow);
      await needs("start", () => instance.start());
      const payload = payloadOf(subject);
      // It may be refused, kept or lost. What is served over HTTP has no port before consume().
      const early = instance.connector.http === undefined
        ? Promise.allSettled([emit(subject, instance, payload)])
        : undefined;
      await pause(MOMENT);
      must(flow.events.length === 0, "a flow was started before consume()");
      await consume(subject, instance);
      await during(emit(subject, instance, payload), () => reached(subject, flow, 1));
      await early;
      const { source } = await subject.definition();
      checkEvent(flow.events[0], payload, source?.metadata);
      await quiet(flow);
    });
  },
};

function checkEvent(event: FlowEvent, payload: unknown, declared: readonly string[] = []): void {
  must(
    typeof event.operation === "string" && event.operation !== "",
    `the event has the operation ${show(event.operation)}`,
  );
  must(equal(event.payload, payload), `${show(payload)} became the payload ${show(event.payload)}`);
  must(isObject(event.input), `the event has the input ${show(event.input)}`);
  for (const name of isObject(payload) ? Object.keys(payload) : []) {
    must(name in event.input, `the input has no "${name}", which the payload has`);
  }
  for (const name of event.textFields ?? []) {
    must(
      isObject(payload) && Object.hasOwn(payload, name),
      `textFields has "${name}", which the payload does not have`,
    );
  }
  for (const name of event.metadata ?? []) {
    must(name in event.input, `metadata has "${name}", which the input does not have`);
    must(declared.includes(name), `metadata has "${name}", which source.metadata does not have`);
  }
}

const filters: Rule = {
  name: "filters",
  title: "a flow whose filter refuses the event is not run; all that take it are",
  applies,
  async check(subject) {
    const flows = [
      new RecordingFlow("refuses", { takes: () => false }),
      new RecordingFlow("first"),
      new RecordingFlow("second"),
    ];
    await withConsuming(subject, flows, async (instance) => {
      const [, first, second] = flows;
      await during(emit(subject, instance, payloadOf(subject)), async () => {
        await needs("events", () =>
          until(
            () => first.events.length + second.events.length > 0,
            () => "no flow was started",
            subject.patience,
          ));
        await reached(subject, first, 1);
        await reached(subject, second, 1);
      });
      must(flows[0].events.length === 0, "a flow was run although its filter refuses the event");
    });
  },
};

const failures: Rule = {
  name: "failures",
  title: "a flow that fails does not end the source",
  applies,
  async check(subject) {
    const [now, later, other] = [
      new RecordingFlow("fails at once", {
        run() {
          throw permanent("fails at once");
        },
      }),
      new RecordingFlow("fails later", {
        run: () => Promise.reject(permanent("fails later")),
      }),
      new RecordingFlow("other"),
    ];
    for (const failing of [now, later]) {
      await withConsuming(subject, [failing, other], async (instance) => {
        await emitTo(failing, subject, instance);
        await needs("events", () => reached(subject, failing, 1));
        await pause(MOMENT);
        const before = other.events.length;
        await emitTo(failing, subject, instance);
        await needs("filters", () =>
          until(
            () => other.events.length > before,
            () => "after a flow had failed, the next event was not delivered",
            subject.patience,
          ));
      });
    }
  },
};

const redelivery: Rule = {
  name: "redelivery",
  title: "an event whose flow failed is delivered again, unless it never can be handled",
  applies,
  async check(subject) {
    const { definition } = await needs("configuration", () => subject.load());
    const redelivers = subject.options.source?.redelivers ?? definition.source?.kind === "messages";
    if (!redelivers) return;
    const flow = new RecordingFlow("fails once", {
      run: (_event, index) => index === 0 ? Promise.reject(temporary("fails once")) : undefined,
    });
    await withConsuming(subject, [flow], async (instance) => {
      await during(emitTo(flow, subject, instance), async () => {
        await needs("events", () => reached(subject, flow, 1));
        await until(
          () => flow.events.length > 1,
          () => "the event was not delivered again",
          subject.patience,
        );
      });
      await pause(MOMENT);
      const [first, second] = flow.events.map(({ payload }) => payload);
      must(equal(first, second), `${show(first)} came back as ${show(second)}`);
      must(flow.events.length === 2, "an event that was handled was delivered again");
    });
    const hopeless = new RecordingFlow("never can", {
      run: () => Promise.reject(permanent("never can")),
    });
    await withConsuming(subject, [hopeless], async (instance) => {
      await emitTo(hopeless, subject, instance);
      await needs("events", () => reached(subject, hopeless, 1));
      await pause(MOMENT);
      must(
        hopeless.events.length === 1,
        "an event was delivered again although its flow said that it never can handle it",
      );
    });
  },
};

const slow: Rule = {
  name: "slow-flows",
  title: "a slow flow loses no event",
  applies,
  async check(subject) {
    const { wait, release } = held();
    const flow = new RecordingFlow("slow", { run: () => wait });
    await withConsuming(subject, [flow], async (instance) => {
      const all = Array.from({ length: MANY }, () => emit(subject, instance, payloadOf(subject)));
      await during(Promise.all(all), async () => {
        try {
          await needs("events", () => reached(subject, flow, 1));
          await pause(MOMENT);
        } finally {
          release();
        }
        await until(
          () => flow.ended >= MANY,
          () => `of ${MANY} events, ${flow.ended} were handled`,
          subject.patience,
        );
      });
    });
  },
};

const drain: Rule = {
  name: "drain",
  title: "drain() waits for the flows in flight",
  applies,
  async check(subject) {
    const { wait, release } = held();
    const flow = new RecordingFlow("in flight", { run: () => wait });
    await withConsuming(subject, [flow], async (instance) => {
      await during(emit(subject, instance, payloadOf(subject)), async () => {
        try {
          await needs("events", () => reached(subject, flow, 1));
          await within("stop()", () => instance.connector.stop?.(), subject.patience);
          let drained = false;
          const drain = async (): Promise<void> => {
            await instance.connector.drain?.();
            drained = true;
          };
          const draining = within("drain()", drain, subject.patience);
          await Promise.race([draining, pause(MOMENT)]);
          must(!drained, "drain() resolved while a flow was running");
          release();
          await draining;
          must(flow.ended === flow.events.length, "drain() resolved before the flow had ended");
        } finally {
          release();
        }
      });
    });
  },
};

const closed: Rule = {
  name: "closed",
  title: "after close() no flow is started",
  applies,
  async check(subject) {
    const flow = new RecordingFlow("closed");
    const instance = await withConsuming(subject, [flow], async (instance) => {
      await emit(subject, instance, payloadOf(subject));
      await needs("events", () => reached(subject, flow, 1));
      return instance;
    });
    const before = flow.events.length;
    // Where the connector itself is the way to it, it may refuse.
    const [emitted] = await Promise.allSettled([emit(subject, instance, payloadOf(subject))]);
    await pause(MOMENT);
    must(flow.events.length === before, "a flow was started after close()");
    if (emitted.status === "rejected") return;
    // The service may have kept the event, which the next rule must not get.
    const rest = new RecordingFlow("rest");
    await withConsuming(subject, [rest], async (instance) => {
      await emit(subject, instance, payloadOf(subject));
      await needs("events", () => reached(subject, rest, 1));
      await quiet(rest);
    });
  },
};

const receivedValues: Rule = {
  name: "received-values",
  title: "every value becomes the payload that was sent",
  applies,
  async check(subject) {
    const flow = new RecordingFlow("values");
    await withConsuming(subject, [flow], async (instance) => {
      await emit(subject, instance, payloadOf(subject));
      await needs("events", () => reached(subject, flow, 1));
      for (const value of subject.options.source?.values ?? VALUES) {
        const before = flow.events.length;
        try {
          await during(emit(subject, instance, value), () => reached(subject, flow, before + 1));
        } catch (cause) {
          throw new Seen(`the value ${show(value)}: ${textOf(cause)}`, { cause });
        }
        const { payload } = flow.events[before];
        must(equal(payload, value), `${show(value)} became the payload ${show(payload)}`);
      }
    });
  },
};

/** The rules about events. */
export const sourceRules: readonly Rule[] = [
  events,
  filters,
  failures,
  redelivery,
  slow,
  drain,
  closed,
  receivedValues,
];
