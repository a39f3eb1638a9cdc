# A chat with rooms, and a live feed of orders: one port, one database, one broker, one page.
#
# A configuration has two kinds of parts. A connector is something that Weir can talk to. A flow
# takes events from one connector and hands them to others. That is the whole idea; the rest of
# this file says it nine times.

constants {
  port    = 3000
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

# HTTP requests, here on the port of the WebSocket; with another one it would have its own.
connector "api" {
  type = "rest"
  port = constants.port
}

# env() reads an environment variable, or takes the default. Relative paths start at this file.
# New files in migrations/ are applied when the server starts, each once.
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
# must look like this, and have nothing else; the page can send a message again under its own id.
type "message" {
  id   = string({ min_length = 1, max_length = 64 })
  room = string
  text = string({ pattern = "\\S", max_length = 2000 })
}

# What stands in quotes from here on is an expression: `input` is what arrived, `client` the
# connection that it came from, whatever a message says of itself. Who that is, everybody else learns
# from these two lines. The name is the one in the connection's address, as chosen: it is for people
# to read, and nothing here depends on it. An auth block would bring one that is verified.
transform "person" {
  who  = "client.id"
  name = "substring(default(client.params.name, 'guest'), 0, 40)"
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }

  # Nobody speaks in a room without being there: the sender of anything else is told that it was
  # refused, and so is who sends what is no message.
  accept {
    when = "input.room in client.rooms"
  }
  validate {
    input = "message"
  }

  # What goes on to the destinations, line by line; a line may use those above it.
  transform {
    use        = "transform.person"
    kind       = "'message'"
    id         = "input.id"
    room       = "input.room"
    author     = "output.name"
    text       = "trim(input.text)"
    created_at = "now()"
  }

  # Destinations run one after the other, each only if the one before succeeded: what others see is
  # stored. Values reach the database by the names in the statement, never as part of its text. A
  # message that is sent again, because its ack got lost, is stored once.
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

  # The answer to the sender, who sent an "id": {"type":"ack","id":1,"data":{"created_at":"…"}}.
  # `output` is what the first destination returned, here the list of its rows.
  response {
    created_at = "first(output).created_at"
  }
}

# The last messages of a room, for a page that joins it: GET /rooms/lobby/messages
# A flow without a response answers with what its first destination returns, here the rows.
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

# ── Who is there ─────────────────────────────────────────────────────────────────────────────────

# {"type":"join_room","room":"lobby"}: the server keeps the membership, the flow tells the others.
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

# An operation of our own: pages answer a newcomer with {"type":"here","data":{"to":"…",…}}, where
# `to` is the `who` that the newcomer was announced with. send_to_client reaches that one connection.
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

# A closed tab leaves no room by itself. The page is in one room at a time, so one target will do. A
# filter leaves an event alone for which it is false, and nobody is told.
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
  # A table as the target: the payload's fields are its columns.
  to {
    connector = "db"
    target    = "orders"
    operation = "UPSERT"
    key       = "id"
  }
  # To a broker, the target is a routing key.
  to {
    connector = "events"
    target    = "order.updated"
  }
}

# Whoever publishes order.updated, here or, on a real broker, anywhere: every client is told.
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
