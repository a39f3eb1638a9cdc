/** The log of one run: its lines have the id of the trace that the run is part of. */
import type { Logger } from "../contract/connector.ts";
import type { Run } from "./run.ts";

/** The context with a logger that adds `trace_id`; the context itself for a run without a trace. */
export function loggingFor<C extends { readonly logger: Logger }>(context: C, run: Run): C {
  const { traceId } = run;
  return traceId === undefined
    ? context
    : { ...context, logger: withTraceId(context.logger, traceId) };
}

function withTraceId(logger: Logger, traceId: string): Logger {
  const log = (level: keyof Logger): Logger[typeof level] => (message, properties) =>
    logger[level](message, { ...properties, trace_id: traceId });
  return {
    trace: log("trace"),
    debug: log("debug"),
    info: log("info"),
    warn: log("warn"),
    error: log("error"),
  };
}
