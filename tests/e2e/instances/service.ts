/** The configuration of the service whose instances the tests of backplanes start. */
import { type BackplaneKind, busOf } from "../../support/instances.ts";

/** What a configuration differs in. */
export interface ServiceOptions {
  /** Which clients of `reds` are sent to; those whose `color` is that of the event by default. */
  readonly filter?: string;
  /** The blocks of rooms; without any, all can be joined. */
  readonly rooms?: string;
  /** More blocks. */
  readonly blocks?: string;
}

/**
 * A configuration with a flow for each thing that a client can ask for. `name` is that of the service.
 */
export function serviceOf(
  kind: BackplaneKind,
  name: string,
  { filter = "client.params.color == input.color", blocks = "", rooms = "" }: ServiceOptions = {},
): string {
  return `
    service {
      name             = "${name}"
      shutdown_timeout = "3s"
      shutdown_spread  = "0s"
    }
    ${busOf(kind)}
    connector "ws" {
      type      = "websocket"
      host      = "0.0.0.0"
      port      = 0
      backplane = "bus"
      max_rooms = 100000
      ${rooms}
    }
    ${FLOWS}
    ${on("reds", `operation = "broadcast"\nfilter = "${filter}"`)}
    ${blocks}
  `;
}

/** A flow on a frame of a type, which sends its text on. */
function on(type: string, to: string, rest = ""): string {
  return `
    flow "${type}" {
      from {
        connector = "ws"
        operation = "${type}"
      }
      to {
        connector = "ws"
        ${to}
        transform {
          text = "input.text"
        }
      }
      ${rest}
    }
  `;
}

/** A flow that does something to the connections of a user, and answers the result. */
function order(type: string, to: string): string {
  return `
    flow "${type}" {
      from {
        connector = "ws"
        operation = "${type}"
      }
      to {
        connector = "ws"
        user      = "input.user"
        ${to}
      }
      response {
        recipients = "output.recipients"
      }
    }
  `;
}

const COUNTED = 'response {\nrecipients = "output.recipients"\n}';

const FLOWS = [
  on("say", 'operation = "send_to_room"\ntarget = "input.to"'),
  on("shout", 'operation = "broadcast"'),
  on("write", 'operation = "send_to_user"\ntarget = "input.to"'),
  on("whisper", 'operation = "send_to_client"\ntarget = "input.to"', COUNTED),
  on("others", 'operation = "send_to_room"\ntarget = "input.to"\nexclude_sender = true'),
  on("count", 'operation = "send_to_room"\ntarget = "input.to"', COUNTED),
  order("invite", 'operation = "join_room"\ntarget = "input.room"'),
  order("expel", 'operation = "leave_room"\ntarget = "input.room"'),
  order("kick", 'operation = "disconnect"'),
  `
    flow "echo" {
      from {
        connector = "ws"
        operation = "echo"
      }
      response {
        id = "client.id"
      }
    }
  `,
].join("");
