/** Checks of a `connector` block of NATS. */
import { quoted } from "../../../../base/shown.ts";
import { isLongerThan } from "../../../../base/text.ts";
import type { CodedProblem } from "../../../../contract/definition.ts";
import type { MqOptions } from "../../options.ts";
import { isName, readUrl } from "./settings.ts";
import { foreignWildcard, isSubject, isSubjectPattern, subjectsMeet } from "./subjects.ts";

/** How many bytes a subject has at most. The server reads at most 4096 for a whole line. */
export const LONGEST_SUBJECT = 1024;

/** Checks a whole `connector` block. */
export function checkOptions(options: MqOptions): readonly CodedProblem[] {
  return [
    ...checkUrls(options),
    ...checkLogin(options),
    ...checkStream(options),
    ...checkQueue(options),
  ];
}

const EXAMPLE = "such as nats://user:password@host:4222";

function checkUrls({ url: urls, host, port }: MqOptions): readonly CodedProblem[] {
  if (urls === undefined) return [];
  const read = urls.map(readUrl);
  const wrong: CodedProblem = {
    code: "invalid-url",
    attribute: "url",
    message: "has a url that is not a nats:// or tls:// URL without a path",
    hint: `${EXAMPLE}; a "%" in it is written %25`,
  };
  if (read.includes(undefined)) return [wrong];
  const logins = new Set(read.map((url) => JSON.stringify(url?.login ?? null)));
  const problems: CodedProblem[] = [];
  if (logins.size > 1) {
    problems.push({
      code: "conflicting-attributes",
      attribute: "url",
      message: "has urls with different credentials",
      hint: "the servers of one cluster take the same ones",
    });
  }
  const others = Object.entries({ host, port }).filter(([, value]) => value !== undefined);
  return [
    ...problems,
    ...others.map(([name]): CodedProblem => ({
      code: "conflicting-attributes",
      attribute: name,
      message: `has a url and a ${name}`,
      hint: `leave it out: the url has both: ${EXAMPLE}`,
    })),
  ];
}

/** Exactly one kind of credentials, or none. */
function checkLogin(options: MqOptions): readonly CodedProblem[] {
  const { url = [], user, password, token, nkey, creds } = options;
  const inUrl = url.some((text) => readUrl(text)?.login !== undefined);
  const kinds = Object.entries({ user: user ?? password, token, nkey, creds })
    .filter(([, value]) => value !== undefined).map(([name]) => name);
  const all = inUrl ? ["url", ...kinds] : kinds;
  if (all.length > 1) {
    return [{
      code: "conflicting-attributes",
      attribute: all[1],
      message: `has credentials twice: ${inUrl ? "in its url" : `as ${all[0]}`} and as ${all[1]}`,
      hint: "keep one of them",
    }];
  }
  if ((user === undefined) !== (password === undefined)) {
    const [has, lacks] = user === undefined ? ["password", "user"] : ["user", "password"];
    return [{
      code: "missing-attribute",
      attribute: has,
      message: `has a ${has}, and needs a ${lacks} with it`,
    }];
  }
  if (nkey !== undefined && !/^SU[A-Z2-7]{56}$/.test(nkey)) {
    return [{
      code: "invalid-value",
      attribute: "nkey",
      message: "has an nkey that is not the seed of a user",
      hint: "it has 58 letters and digits and begins with SU",
    }];
  }
  return [];
}

function checkStream({ stream }: MqOptions): readonly CodedProblem[] {
  if (stream === undefined) return [];
  if (stream.name !== undefined && !isName(stream.name)) {
    return [{
      code: "invalid-value",
      attribute: "stream.name",
      message: "has a stream whose name cannot be used",
      hint: NAME_HINT,
    }];
  }
  const problem = (message: string, hint: string): CodedProblem => ({
    code: "invalid-value",
    attribute: "stream.subjects",
    message,
    hint,
  });
  const subjects = stream.subjects ?? [];
  const wrong = subjects.find((subject) => !isSubjectPattern(subject));
  if (wrong !== undefined) {
    return [problem(`has a stream with the subject ${quoted(wrong)}`, SUBJECT_HINT)];
  }
  const foreign = subjects.map(foreignWildcard).find((one) => one !== undefined);
  if (foreign !== undefined) {
    const { part, hint } = foreign;
    const message = `has a stream with ${
      quoted(part)
    } in a subject, which is not a wildcard of NATS`;
    return [problem(message, hint)];
  }
  const doubled = subjects.find((one, i) =>
    subjects.slice(0, i).some((two) => subjectsMeet(one, two))
  );
  if (doubled === undefined) return [];
  const hint = "each subject belongs to one of them alone";
  return [problem(`has a stream whose subject ${quoted(doubled)} overlaps with another one`, hint)];
}

const NAME_HINT = "a name has no spaces and none of . * > / \\";
/** What a subject may have. */
export const SUBJECT_HINT = "a subject is words between dots; * is one word, > at the end the rest";

function checkQueue({ stream, queue, consumer }: MqOptions): readonly CodedProblem[] {
  const name = queue?.name;
  const problems: CodedProblem[] = [];
  if (queue !== undefined && name === undefined) {
    problems.push({
      code: "missing-queue",
      attribute: "queue",
      message: "needs a name in its queue block",
      hint: stream === undefined
        ? "leave the block out, and each instance gets every message"
        : "it is the name of the durable consumer of the stream",
    });
  }
  if (name !== undefined && !(stream === undefined ? isSubject(name) : isName(name))) {
    problems.push({
      code: "invalid-value",
      attribute: "queue.name",
      message: "has a queue whose name cannot be used",
      hint: NAME_HINT,
    });
  }
  const subject = consumer?.dlq?.subject;
  if (consumer?.dlq !== undefined && queue === undefined) {
    problems.push({
      code: "missing-queue",
      attribute: "consumer.dlq",
      message: "has a dlq block, and needs a queue with a name",
      hint:
        "without a queue each instance gets every message, and each would keep its own dead letter",
    });
  }
  if (subject !== undefined && !isUsable(subject)) {
    problems.push({
      code: "invalid-value",
      attribute: "consumer.dlq.subject",
      message: `has a dlq block with the subject ${quoted(subject)}`,
      hint: "dead letters need one subject: words between dots, without wildcards",
    });
  }
  return problems;
}

/** Whether a text can be published to. */
export function isUsable(subject: string): boolean {
  return isSubject(subject) && !isTooLong(subject);
}

/** Whether a subject has more than `LONGEST_SUBJECT` bytes. */
export function isTooLong(subject: string): boolean {
  return isLongerThan(subject, LONGEST_SUBJECT);
}
