/** The configuration of the scenarios about presence, history and streams. */

/** A flow on a frame, with its blocks. */
function on(type: string, blocks: string): string {
  return `
    flow "${type}" {
      from {
        connector = "ws"
        operation = "${type}"
      }
      ${blocks}
    }
  `;
}

/** A destination, which sends the text of the event. */
function to(attributes: string): string {
  return `
    to {
      connector = "ws"
      ${attributes}
      transform {
        text = "input.text"
      }
    }
  `;
}

/** An order for the connections of a user. */
function order(attributes: string): string {
  return `
    to {
      connector = "ws"
      user      = "input.user"
      ${attributes}
    }
    response {
      recipients = "output.recipients"
      refused    = "output.refused"
    }
  `;
}

const TO_ROOM = 'operation = "send_to_room"\ntarget = "input.to"';

const FLOWS = [
  on("hello", 'response {\nid = "client.id"\n}'),
  on("say", to(TO_ROOM)),
  on("count", `${to(TO_ROOM)}\nresponse {\nrecipients = "output.recipients"\n}`),
  on("filtered", to(`${TO_ROOM}\nfilter = "client.params.color == input.color"`)),
  on("shout", to('operation = "broadcast"\nfilter = "client.params.color == input.color"')),
  on("tell", to('operation = "broadcast"')),
  on("write", to('operation = "send_to_user"\ntarget = "input.user"')),
  on("invite", order('operation = "join_room"\ntarget = "input.room"')),
  on("expel", order('operation = "leave_room"\ntarget = "input.room"')),
  on(
    "kick",
    'to {\nconnector = "ws"\nuser = "input.user"\noperation = "disconnect"\n}',
  ),
  on(
    "who",
    `step "who" {
      connector = "ws"
      operation = "presence"
      target    = "input.room"
    }
    response {
      count   = "step.who.count"
      members = "step.who.members"
    }`,
  ),
].join("");

const HISTORY_ROOMS = `
  room "kept:*" {
    history {
      size = 4
      ttl  = "10m"
    }
  }
`;

const HISTORY_FLOWS = [
  on(
    "once",
    `${to(`${TO_ROOM}\nmessage_id = "input.id"`)}
    response {
      recipients = "output.recipients"
    }`,
  ),
  on("others", to(`${TO_ROOM}\nexclude_sender = true`)),
  on(
    "newest",
    `step "kept" {
      connector = "ws"
      operation = "history"
      target    = "input.room"
      params = {
        limit = "input.limit"
      }
    }
    response {
      kept = "step.kept"
    }`,
  ),
  on("remember", order('operation = "join_room"\ntarget = "input.room"\nhistory = true')),
].join("");

/** The configuration; `bus` is the blocks of a backplane with the name "bus", or empty. */
export function featuresOf(bus: string, history: boolean): string {
  return `
    ${bus}
    type "mood" {
      status = string({ max_length = 10 })
    }
    connector "ws" {
      type      = "websocket"
      port      = 0
      sse       = "/events"
      max_rooms = 3
      ${bus === "" ? "" : 'backplane = "bus"'}
      room "doc:*" {
        presence {
          info        = "{'color': client.params.color}"
          leave_grace = "60s"
          data        = "mood"
        }
      }
      room "quick:*" {
        presence {
          leave_grace = "0s"
        }
      }
      room "few:*" {
        presence {
          leave_grace = "0s"
          max         = 2
        }
      }
      ${history ? HISTORY_ROOMS : ""}
      room "*" {
      }
    }
    ${FLOWS}
    ${history ? HISTORY_FLOWS : ""}
  `;
}
