/** The rule about several workers of a service. */
import { twoWorkers } from "../cluster.ts";
import { RecordingFlow } from "../flow.ts";
import { must, needs, until, within } from "../failure.ts";
import { healthy, requires, type Rule, withInstances } from "../rule.ts";
import type { Instance, Subject } from "../subject.ts";
import { whyUnshared } from "./definition.ts";
import { during, emit, operationOf, payloadOf, quiet } from "../events.ts";

const workers: Rule = {
  name: "workers",
  title: "in two workers, both connectors start, and an event reaches a flow in one of them",
  async check(subject) {
    const loaded = await needs("configuration", () => subject.load());
    if (await needs("unshared", () => whyUnshared(loaded)) !== undefined) return;
    const workers = twoWorkers();
    try {
      await withInstances(subject, async (make) => {
        const instances = await Promise.all(workers.map((worker) => make(worker)));
        // As a runtime does: all connectors are made, then the workers meet, then the connectors start.
        await Promise.all(workers.map(({ group }) => group.start()));
        await bothWork(subject, instances);
      });
    } finally {
      await Promise.all(workers.map(({ group }) => group.close()));
    }
  },
};

/** Starts the connector in both workers; what happens reaches a flow in one of them. */
async function bothWork(subject: Subject, instances: readonly Instance[]): Promise<void> {
  const { source, destination } = subject.options;
  const flow = new RecordingFlow("in both workers");
  if (source !== undefined) {
    for (const instance of instances) instance.subscribe(operationOf(subject), flow);
  }
  requires(subject, "health");
  await needs("start", () => Promise.all(instances.map((instance) => instance.start())));
  for (const instance of instances) {
    await needs("health", () => healthy(instance, subject.patience));
  }
  await needs("start", () => Promise.all(instances.map((instance) => instance.consume())));
  for (const instance of instances) {
    await needs("health", () => healthy(instance, subject.patience));
  }
  if (destination !== undefined) {
    const payload = destination.payload ?? { text: "hello" };
    for (const instance of instances) {
      const writing = () => instance.write(payload);
      await needs("write", () => within("write()", writing, subject.patience));
    }
  }
  if (source === undefined) return;
  await quiet(flow); // What was written may have come back.
  const before = flow.events.length;
  const started = () =>
    until(
      () => flow.events.length > before,
      () => "an event reached no flow of two workers",
      subject.patience,
    );
  await during(
    emit(subject, instances[0], payloadOf(subject)),
    () => needs("events", started),
  );
  await quiet(flow);
  const count = flow.events.length - before;
  must(count === 1, `in two workers, one event started its flow ${count} times`);
}

/** The rules about workers. */
export const workerRules: readonly Rule[] = [workers];
