/**
 * The processes of one service as a group: its members, its leader, and the messages and limits that
 * they share. `workers/` starts the processes and connects them.
 *
 * May import base/ and contract/.
 */
export { Coordinator, type RemoteMember } from "./coordinator.ts";
export { createGroup, type GroupOptions } from "./group.ts";
export { newInstanceId } from "./instance.ts";
export { startHealthChecks } from "./health.ts";
export { type HubPort, LinkHub, type LinkHubOptions } from "./hub/hub.ts";
export { FrameError } from "./hub/frames.ts";
export type { Pipe } from "./hub/queue.ts";
export { type PipeListener, WorkerLink } from "./hub/worker-link.ts";
export { ClusterMember } from "./member.ts";
export type { CoordinatorFunctions, MemberFunctions, Remote } from "./protocol.ts";
