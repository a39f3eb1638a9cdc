# The chat on PostgreSQL. What is said is inserted into a table, and what is inserted into the table
# is delivered: a row from psql, or from another program, appears in the page like any message.
#
# The page is that of examples/chat, whose chat.hcl explains the language.

constants {
  port    = env("PORT", 3000)
  history = 50 # messages of a room that a page loads
}

connector "ws" {
  type   = "websocket"
  port   = constants.port
  path   = "/ws"
  static = "../chat/public"
  client = "/weir.js"

  # Anybody may claim to be anybody here: `weir check` warns of presence without an auth block.
  room "*" {
    presence {
      info        = "{'name': substring(default(client.params.name, 'guest'), 0, 40)}"
      leave_grace = "30s"
      data        = "doing"
    }
    history {
      size = 100
      ttl  = "10m"
    }
  }
}

connector "api" {
  type = "rest"
  port = constants.port
}

# Flows write to it, and its changes start flows. For that the server needs wal_level = logical. The
# slot remembers which changes have been handled, also while Weir does not run.
connector "pg" {
  type       = "database"
  driver     = "postgres"
  url        = env("DATABASE_URL", "postgres://weir:weir@localhost:5432/chat")
  migrations = "./migrations"

  changes {
    slot        = env("CHAT_SLOT", "weir_chat")
    publication = "weir_chat"
  }
}

# ── Messages ─────────────────────────────────────────────────────────────────────────────────────

# What a page tells the others of its user.
type "doing" {
  typing = boolean
}

type "message" {
  id   = string({ min_length = 1, max_length = 64 })
  room = string
  text = string({ pattern = "\\S", max_length = 2000 })
}

# A client's message becomes a row, and the client gets its ack when the commit is on disk. A message
# that is sent again, because its ack was lost, is stored once. The name comes from the query of the
# connection's address, and is not verified.
flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  accept {
    when = "input.room in client.rooms"
  }
  validate {
    input = "message"
  }
  transform {
    id     = "input.id"
    room   = "input.room"
    author = "substring(default(client.params.name, 'guest'), 0, 40)"
    text   = "trim(input.text)"
  }
  to {
    connector = "pg"
    query     = <<-SQL
      INSERT INTO messages (id, room, author, text) VALUES (:id, :room, :author, :text)
      ON CONFLICT (id) DO UPDATE SET id = messages.id
      RETURNING created_at
    SQL
  }
  response {
    created_at = "first(output).created_at"
  }
}

# Every row that is inserted into messages, by this service or by anybody else, in the order of the
# commits. `input` is the row. After a reconnect, the server may repeat a change: its message_id keeps
# the room from hearing it twice.
flow "deliver" {
  from {
    connector = "pg"
    operation = "INSERT messages"
  }
  transform {
    kind       = "'message'"
    id         = "input.id"
    room       = "input.room"
    author     = "input.author"
    text       = "input.text"
    created_at = "input.created_at"
  }
  to {
    connector  = "ws"
    operation  = "send_to_room"
    target     = "input.room"
    message_id = "input.id"
  }

  # Pages are in this room, too: they count what they have not read in the other rooms.
  to {
    connector  = "ws"
    operation  = "send_to_room"
    target     = "'activity:all'"
    message_id = "input.id"
    transform {
      room       = "output.room"
      created_at = "output.created_at"
    }
  }
}

# The newest messages of a room, for a page that joins it: GET /rooms/lobby/messages
flow "history" {
  from {
    connector = "api"
    operation = "GET /rooms/:room/messages"
  }
  to {
    connector = "pg"
    query     = <<-SQL
      SELECT id, room, author, text, created_at
      FROM (
        SELECT * FROM messages WHERE room = :room ORDER BY created_at DESC, id DESC LIMIT :limit
      ) AS newest
      ORDER BY created_at, id
    SQL
    params = {
      limit = "constants.history"
    }
  }
}

# The rooms in which something was said last: how often, and when. A page counts on from there.
flow "rooms" {
  from {
    connector = "api"
    operation = "GET /rooms"
  }
  to {
    connector = "pg"
    query     = <<-SQL
      SELECT room AS name, CAST(count(*) AS integer) AS messages, max(created_at) AS newest
      FROM messages GROUP BY room ORDER BY newest DESC LIMIT 100
    SQL
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
  to {
    connector = "pg"
    operation = "UPSERT"
    target    = "orders"
    key       = "id"
  }
}

# "*" is every change of the table. A deleted order is not shown again.
flow "live_orders" {
  from {
    connector = "pg"
    operation = "* orders"
    filter    = "input.operation != 'DELETE'"
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
    connector = "pg"
    query     = "SELECT id, status, updated_at FROM orders ORDER BY updated_at DESC LIMIT 20"
  }
}
