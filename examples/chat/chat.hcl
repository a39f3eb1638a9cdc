# A chat with rooms, and a live feed of orders: one port, one database, one broker, one page.
#
# A configuration has two kinds of parts. A connector is something that Weir talks to. A flow takes
# events from one connector and delivers them to others. The rest of this file repeats that idea
# nine times.

# env() reads an environment variable, or returns the default.
constants {
  port    = env("PORT", 3000)
  history = 50 # messages of a room that a page loads
}

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# Browsers connect to ws://localhost:3000/ws. The same port serves the page in public/.
connector "ws" {
  type   = "websocket"
  port   = constants.port
  path   = "/ws"
  static = "./public"
}

# HTTP requests, here on the port of the WebSocket. A connector can also have its own port.
connector "api" {
  type = "rest"
  port = constants.port
}

# Paths are relative to this file. At the start, the server applies new files in migrations/, each
# once.
connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("CHAT_DB", "./data/chat.db")
  migrations = "./migrations"
}

# A broker inside the process. With driver = "rabbitmq" and a url, the flows below stay as they are.
connector "events" {
  type   = "mq"
  driver = "memory"
}

# ── Chat ─────────────────────────────────────────────────────────────────────────────────────────

# A browser sends {"type":"message","id":1,"data":{"id":"…","room":"lobby","text":"Hello"}}. Its data
# must have these fields, and no others. The page can repeat a message with the same id.
type "message" {
  id   = string({ min_length = 1, max_length = 64 })
  room = string
  text = string({ pattern = "\\S", max_length = 2000 })
}

# From here on, text in quotes is an expression: `input` is the event, and `client` is the connection
# that sent it. These two lines tell the other clients who sent a message. The name comes from the
# query of the connection's address and is not verified, so it is only displayed. With an auth block,
# it could come from a token.
transform "person" {
  who  = "client.id"
  name = "substring(default(client.params.name, 'guest'), 0, 40)"
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }

  # Only members of the room may send to it, and only valid messages. Otherwise the sender gets an
  # error.
  accept {
    when = "input.room in client.rooms"
  }
  validate {
    input = "message"
  }

  # The payload for the destinations, line by line. A line can use the lines above it.
  transform {
    use        = "transform.person"
    kind       = "'message'"
    id         = "input.id"
    room       = "input.room"
    author     = "output.name"
    text       = "trim(input.text)"
    created_at = "now()"
  }

  # Destinations run one after the other, each only after the one before it succeeded: other clients
  # see only stored messages. Values are bound to the names in the statement. A message that is sent
  # again, because its ack was lost, is stored once.
  to {
    connector = "db"
    query     = <<-SQL
      INSERT INTO messages (id, room, author, text, created_at)
      VALUES (:id, :room, :author, :text, :created_at)
      ON CONFLICT (id) DO UPDATE SET id = id
      RETURNING created_at
    SQL
  }
  to {
    connector      = "ws"
    operation      = "send_to_room"
    target         = "input.room"
    exclude_sender = true
  }

  # The answer to the sender: {"type":"ack","id":1,"data":{"created_at":"…"}}.
  # `output` is the result of the first destination, here a list of rows.
  response {
    created_at = "first(output).created_at"
  }
}

# The last messages of a room, for a page that joins it: GET /rooms/lobby/messages
# A flow without a response answers with the result of its first destination, here the rows.
flow "history" {
  from {
    connector = "api"
    operation = "GET /rooms/:room/messages"
  }
  to {
    connector = "db"
    query     = <<-SQL
      SELECT id, room, author, text, created_at
      FROM (SELECT * FROM messages WHERE room = :room ORDER BY position DESC LIMIT :limit)
      ORDER BY position
    SQL
    params = {
      limit = "constants.history"
    }
  }
}

# ── Presence ─────────────────────────────────────────────────────────────────────────────────────

# {"type":"join_room","room":"lobby"}: the server adds the member, the flow notifies the others.
flow "joined" {
  from {
    connector = "ws"
    operation = "join_room"
  }
  transform {
    use  = "transform.person"
    kind = "'joined'"
  }
  to {
    connector      = "ws"
    operation      = "send_to_room"
    target         = "input.room"
    exclude_sender = true
  }
  response {
    who = "client.id"
  }
}

# A custom operation: pages greet a new member with {"type":"here","data":{"to":"…",…}}, where `to` is
# the `who` of its announcement. send_to_client reaches one connection.
type "greeting" {
  to   = string
  room = string
}

flow "here" {
  from {
    connector = "ws"
    operation = "here"
  }
  accept {
    when = "input.room in client.rooms"
  }
  validate {
    input = "greeting"
  }
  transform {
    use  = "transform.person"
    kind = "'here'"
    room = "input.room"
  }
  to {
    connector = "ws"
    operation = "send_to_client"
    target    = "input.to"
  }
}

flow "left" {
  from {
    connector = "ws"
    operation = "leave_room"
  }
  transform {
    use  = "transform.person"
    kind = "'left'"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "input.room"
  }
}

# A closed tab sends no leave_room. The page is in one room at a time, so one target is enough. If the
# filter is false, the flow ignores the event.
flow "gone" {
  from {
    connector = "ws"
    operation = "disconnect"
    filter    = "len(input.rooms) > 0"
  }
  transform {
    use  = "transform.person"
    kind = "'left'"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "first(input.rooms)"
  }
}

# ── Orders ───────────────────────────────────────────────────────────────────────────────────────

# curl --json '{"id":"A17","status":"packed"}' http://localhost:3000/orders
type "order" {
  id     = id
  status = string({ min_length = 1, max_length = 64 })
}

flow "update_order" {
  from {
    connector = "api"
    operation = "POST /orders"
  }
  validate {
    input = "order"
  }
  transform {
    id         = "string(input.id)"
    status     = "input.status"
    updated_at = "now()"
  }
  # The target is a table: the fields of the payload are its columns.
  to {
    connector = "db"
    target    = "orders"
    operation = "UPSERT"
    key       = "id"
  }
  # For a broker, the target is a routing key.
  to {
    connector = "events"
    target    = "order.updated"
  }
}

# Every client gets order.updated, from this service or, with a real broker, from any program.
flow "live_orders" {
  from {
    connector = "events"
    operation = "order.updated"
  }
  transform {
    kind       = "'order'"
    id         = "input.id"
    status     = "input.status"
    updated_at = "input.updated_at"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}

flow "orders" {
  from {
    connector = "api"
    operation = "GET /orders"
  }
  to {
    connector = "db"
    query     = "SELECT id, status, updated_at FROM orders ORDER BY updated_at DESC LIMIT 20"
  }
}
