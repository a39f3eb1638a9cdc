/** Faults of the processes of a service. */
import { type Faults, GOOD, NOT_READY } from "../symptom.ts";

/** The process itself. */
export const processes = {
  "something computes for long": {
    metrics: { "weir_event_loop_lag_seconds above 0.25": "grows" },
    log: undefined,
    health: GOOD,
    alert: "WeirEventLoopLag",
  },
  "a worker dies": {
    metrics: { "weir_workers_running": 1 },
    log: ["error", "worker {worker} ended ({ending}); restarting it"],
    health: NOT_READY,
    alert: "WeirWorkersRestart",
    over: { metrics: { "weir_worker_restarts_total": "grows" }, log: undefined },
  },
  "all workers die": {
    metrics: { "weir_workers_running": 0 },
    log: ["error", "worker {worker} ended ({ending}); restarting it"],
    health: [200, 503, 503],
    alert: "WeirWorkersRestart",
    over: { metrics: { "weir_worker_restarts_total": "grows" }, log: undefined },
  },
  "the service shuts down, and a flow still runs": {
    metrics: { 'weir_flow_in_flight{flow="work"}': 1 },
    log: ["info", "shutting down; flows in flight: {flows}"],
    health: [200, 503, 503],
  },
} satisfies Faults;
