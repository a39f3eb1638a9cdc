/** How a configuration of NATS is checked, and what its subjects reach. No client library. */
import { quoted } from "../../../../base/shown.ts";
import type { CodedProblem } from "../../../../contract/definition.ts";
import type { Matcher } from "../../../../contract/subscriptions.ts";
import type { Expression } from "../../../../expression/mod.ts";
import type { Driver } from "../../driver.ts";
import type { MqOptions } from "../../options.ts";
import { isInternal, isOpen } from "./filters.ts";
import { EVERY_SUBJECT, type NatsPlaces, natsRouting } from "./routing.ts";
import {
  checkOptions,
  isTooLong,
  isUsable,
  LONGEST_SUBJECT,
  SUBJECT_HINT,
} from "./option-checks.ts";
import { addressOf, settle } from "./settings.ts";
import { compileSubject, foreignWildcard, isSubjectPattern, subjectsMeet } from "./subjects.ts";

/** The checks of NATS. */
export const natsChecks: Omit<Driver, "title" | "load"> = {
  attributes: [
    ...["url", "host", "port", "tls", "user", "password", "token", "nkey", "creds"],
    ...["stream", "stream.name", "stream.subjects", "stream.max_age", "stream.max_bytes"],
    ...["stream.replicas", "queue", "queue.name", "consumer", "consumer.prefetch"],
    ...["consumer.dlq", "consumer.dlq.subject"],
    ...["consumer.dlq.max_retries", "consumer.dlq.retry_delay"],
  ],
  destinationAttributes: ["headers", "message_id"],
  metadata: ["body", "headers", "subject"],
  consumer: (options) => {
    const { consumer, deadLetters } = settle(options);
    return {
      ...consumer,
      deadLetters: deadLetters && `dead-letter subject ${deadLetters.subject}`,
    };
  },
  check: checkOptions,
  checkOperation,
  checkTarget,
  matcher,
  receives,
  receivesDeadLetters,
  everyInstance(options) {
    const { stream, queue } = settle(options);
    return stream === undefined && queue === undefined;
  },
  memory: (options) => natsRouting(placesOf(options)),
};

function placesOf(options: MqOptions): NatsPlaces {
  const { stream, queue, consumer: { prefetch }, deadLetters } = settle(options);
  return {
    address: addressOf(options),
    longestKey: LONGEST_SUBJECT,
    prefetch,
    queue,
    // What a stream has that exists already is not known.
    stream: stream && { name: stream.name, subjects: stream.subjects ?? [EVERY_SUBJECT] },
    deadLetterSubject: deadLetters?.subject,
  };
}

function checkOperation(
  operation: string | undefined,
  options: MqOptions,
): readonly CodedProblem[] {
  const invalid = (message: string, hint: string): CodedProblem => ({
    code: "invalid-operation",
    attribute: "operation",
    message,
    hint,
  });
  if (operation !== undefined && (!isSubjectPattern(operation) || isTooLong(operation))) {
    return [invalid(`has ${quoted(operation)}, which is not a subject`, SUBJECT_HINT)];
  }
  const foreign = operation === undefined ? undefined : foreignWildcard(operation);
  if (foreign !== undefined) {
    const { part, hint } = foreign;
    return [invalid(`has ${quoted(part)}, which is not a wildcard of NATS`, hint)];
  }
  const { stream, queue, deadLetters } = settle(options);
  if (stream !== undefined && queue === undefined) {
    // One without a name has been reported.
    return options.queue !== undefined ? [] : [{
      code: "missing-queue",
      message: `reads the stream ${quoted(stream.name)}, and needs a queue with a name`,
      hint: 'write queue { name = "…" } in the connector: it is the durable consumer of the stream',
    }];
  }
  const subjects = stream?.subjects;
  if (operation !== undefined && subjects?.every((subject) => !subjectsMeet(subject, operation))) {
    return [
      invalid(
        `has ${quoted(operation)}, which is not a subject of the stream`,
        subjects.join(", "),
      ),
    ];
  }
  // Without an operation a flow gets what the stream has.
  const taken = operation === undefined && subjects !== undefined
    ? subjects.map((subject) => compileSubject(subject))
    : [compileMatcher(operation)];
  if (deadLetters === undefined || !taken.some((takes) => takes(deadLetters.subject))) return [];
  return [{
    code: "dead-letter-loop",
    ...(operation !== undefined && { attribute: "operation" }),
    message: `takes the dead letters of its own connector, "${deadLetters.subject}"`,
    hint: "name another subject in the dlq block, or narrower operations",
  }];
}

function checkTarget(target: string | Expression | undefined): readonly CodedProblem[] {
  if (target === undefined) {
    return [{
      code: "missing-target",
      message: "needs a target",
      hint: "the subject of the message",
    }];
  }
  if (typeof target !== "string" || isUsable(target)) return [];
  return [{
    code: "invalid-value",
    attribute: "target",
    message: `has the target ${quoted(target)}, which is not a subject`,
    hint: "words between dots, without spaces and wildcards, at most 1024 bytes",
  }];
}

/** Without a queue the server delivers a message once for each subscription, which is the operation. */
function matcher(operation: string | undefined, options: MqOptions): Matcher {
  if (isBroadcast(options)) {
    const own = operation ?? EVERY_SUBJECT;
    return (key) => key === own;
  }
  return compileMatcher(operation);
}

/** Whether every instance gets every message. */
export function isBroadcast({ stream, queue }: MqOptions): boolean {
  return stream === undefined && queue?.name === undefined;
}

/** Whether a flow on `operation` wants a subject. */
function compileMatcher(operation: string = EVERY_SUBJECT): Matcher {
  const matches = compileSubject(operation);
  return isOpen(operation) ? (subject) => matches(subject) && !isInternal(subject) : matches;
}

function receives(
  operation: string | undefined,
  target: string,
  options: MqOptions,
  sender: MqOptions = options,
): boolean {
  return addressOf(options) === addressOf(sender) && mayHave(target, options) &&
    compileMatcher(operation)(target);
}

function receivesDeadLetters(
  options: MqOptions,
  sender: MqOptions,
  operation: string | undefined,
): boolean {
  const { deadLetters } = settle(sender);
  return deadLetters !== undefined && receives(operation, deadLetters.subject, options, sender);
}

/** Whether what is published on a subject reaches the connector at all. */
function mayHave(subject: string, { stream }: MqOptions): boolean {
  return stream?.subjects?.some((pattern) => compileSubject(pattern)(subject)) ?? true;
}
