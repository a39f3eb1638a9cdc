/** The names of channels and keys at the server. Everything of one service has one prefix. */
/** The names of one service. */
export interface Names {
  /** What the channels of topics begin with. */
  readonly topics: string;
  /** What the keys begin with. */
  readonly keys: string;
  /** What the keys of the history of rooms begin with. */
  readonly history: string;
  /** The channel on which one instance hears itself. */
  readonly beat: string;
  /** How an operator grants its user the rights that each use of the backplane needs. */
  readonly grants: {
    readonly link: string;
    readonly keys: string;
    readonly history: string;
  };
}

/** The names for an instance of a service, whatever its name is. Without a user, it is Redis' own. */
export function namesOf(service: string, instance: string, user = "default"): Names {
  // Without a colon it ends before the next part, and without a star it is no pattern of an ACL.
  const name = encodeURIComponent(service.toWellFormed()).replaceAll("*", "%2A");
  const prefix = `weir:${name}:`;
  const grant = (rules: string) => `grant its user what is missing: ACL SETUSER ${user} ${rules}`;
  return {
    topics: `${prefix}t:`,
    keys: `${prefix}k:`,
    history: `${prefix}h:`,
    beat: `${prefix}beat:${instance}`,
    grants: {
      link: grant(`&${prefix}* +ping +publish +subscribe +unsubscribe`),
      keys: grant(`~${prefix}k:* +get +set +del +eval`),
      history: grant(
        `~${prefix}h:* +info +eval +hget +hset +del +xadd +xlen +xrange +zscore +zadd ` +
          "+zremrangebyscore +pexpire +publish",
      ),
    },
  };
}
