/** Checks of a block that concern its driver: what another driver has is an error that names it. */
import type { CodedProblem } from "../../contract/definition.ts";
import { placesOf } from "../../contract/places.ts";
import type { Driver } from "./driver.ts";
import type { MqOptions } from "./options.ts";

/** The drivers by their names. */
type Drivers = Readonly<Record<string, Driver>>;

/** The blocks that have attributes of their own, each after the one that it is in. */
const BLOCKS = [
  ...["", "exchange", "stream", "queue", "consumer", "consumer.dlq", "publisher"],
] as const;

/** Checks a `connector` block whose attributes are good one by one. */
export function checkConnector(options: MqOptions, drivers: Drivers): readonly CodedProblem[] {
  const driver = drivers[options.driver];
  const foreign = namesOf(options).filter((name) =>
    name !== "driver" && !driver.attributes.includes(name) &&
    // Of a foreign block, its own name is enough.
    !driverLacksBlock(driver, name)
  );
  if (foreign.length === 0) return driver.check(options);
  return foreign.map((name) =>
    foreignAttribute(name, options.driver, ({ attributes }) => attributes.includes(name), drivers)
  );
}

/** Checks the attributes of a `to` block. */
export function checkDestination(
  destination: object,
  options: MqOptions,
  drivers: Drivers,
): readonly CodedProblem[] {
  const { driver } = options;
  const given = Object.entries(destination).filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  const { destinationAttributes, checkHeaders } = drivers[driver];
  const foreign = given.filter((name) => !destinationAttributes.includes(name)).map((name) =>
    foreignAttribute(
      name,
      driver,
      ({ destinationAttributes }) => destinationAttributes.includes(name),
      drivers,
    )
  );
  const headers = given.includes("headers") && destinationAttributes.includes("headers")
    ? checkHeaders?.(options) ?? []
    : [];
  return [...foreign, ...headers];
}

/** The names of all attributes and blocks that are written, such as `consumer.dlq.queue`. */
function namesOf(options: MqOptions): readonly string[] {
  const { exchange, stream, queue, consumer, publisher } = options;
  const values = [options, exchange, stream, queue, consumer, consumer?.dlq, publisher];
  return BLOCKS.flatMap((block, i) => {
    const inner = values[i];
    if (inner === undefined) return [];
    const places = placesOf(inner);
    return Object.keys(inner)
      .filter((name) => places.has(name as never) || places.block(name as never) !== undefined)
      .map((name) => block === "" ? name : `${block}.${name}`);
  });
}

function driverLacksBlock({ attributes }: Driver, name: string): boolean {
  const block = name.slice(0, Math.max(0, name.lastIndexOf(".")));
  return block !== "" && !attributes.includes(block);
}

function foreignAttribute(
  name: string,
  driver: string,
  takes: (driver: Driver) => boolean,
  drivers: Drivers,
): CodedProblem {
  const takers = Object.entries(drivers).filter(([, driver]) => takes(driver));
  const names = takers.map(([taker]) => `"${taker}"`).join(" or ");
  const at = name.lastIndexOf(".");
  const where = at < 0 ? name : `${name.slice(at + 1)} in its ${name.slice(0, at)} block`;
  return {
    code: "unused-attribute",
    attribute: name,
    message: `takes no ${where} with driver = "${driver}"`,
    ...(names === "" ? {} : { hint: `driver = ${names} takes it` }),
  };
}
