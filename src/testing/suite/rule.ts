/** The form of a rule, and what rules share. */
import { Blocked, needs, until } from "./failure.ts";
import type { ConnectorTestOptions } from "./options.ts";
import type { RuleOf } from "./runner.ts";
import type { Instance, InstanceParts, Subject } from "./subject.ts";

/** One rule of the contract of connectors. */
export interface Rule extends RuleOf<Subject> {
  /** Whether the author has given what the rule needs. True where absent. */
  applies?(options: Omit<ConnectorTestOptions, "test">): boolean;
}

/** Runs a test of a rule with new instances, and closes them in any case. */
export async function withInstances<T>(
  subject: Subject,
  act: (make: (parts?: InstanceParts) => Promise<Instance>) => Promise<T>,
): Promise<T> {
  const made: Instance[] = [];
  const make = async (parts?: InstanceParts): Promise<Instance> => {
    const instance = await needs("start", () => subject.create(parts));
    made.push(instance);
    return instance;
  };
  let result: T;
  try {
    result = await act(make);
  } catch (error) {
    await Promise.allSettled(made.map((instance) => instance.shut()));
    throw error;
  }
  for (const instance of made) await needs("close", () => instance.shut());
  return result;
}

/** The same with one instance, which has been started. */
export async function withStarted<T>(
  subject: Subject,
  act: (instance: Instance) => Promise<T>,
): Promise<T> {
  requires(subject, "health");
  return await withInstances(subject, async (make) => {
    const instance = await make();
    await needs("start", () => instance.start());
    await needs("health", () => healthy(instance, subject.patience));
    return await act(instance);
  });
}

/** Does not go on if a rule is known to be broken, since what follows may take long. */
export function requires({ broken }: Subject, rule: string): void {
  if (broken.has(rule)) throw new Blocked(rule, `the rule "${rule}" is broken`);
}

/** Lets a connector take events, and waits until it does. It may connect later than it starts. */
export async function consume(subject: Subject, instance: Instance): Promise<void> {
  requires(subject, "health");
  await needs("start", () => instance.consume());
  await needs("health", () => healthy(instance, subject.patience));
}

/** Waits until the connector says that it can serve. */
export async function healthy({ connector }: Instance, patience: number): Promise<void> {
  await until(
    () => connector.health?.() === undefined,
    () => `health() still returns ${JSON.stringify(connector.health?.())}`,
    patience,
  );
}
