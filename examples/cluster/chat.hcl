# The chat on several instances: each of them is a process that serves some of the clients, and Redis
# links them. A client cannot tell which instance another client is on.
#
# What makes one service of them are three things: a name, a connector to Redis, and `backplane`. The
# flows are those of examples/chat, where each of them is explained. They do not know how many
# instances there are.

# Instances with the same name belong together.
service {
  name = "chat"
}

constants {
  port    = env("PORT", 3001)
  history = 50 # messages of a room that a page loads
}

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# Redis needs no preparation. "nats" and "rabbitmq" work as well.
connector "bus" {
  type   = "mq"
  driver = "redis"
  url    = env("REDIS_URL", "redis://localhost:6379")
}

connector "ws" {
  type      = "websocket"
  port      = constants.port
  path      = "/ws"
  static    = env("PAGE", "../chat/public")
  client    = "/weir.js"
  backplane = "bus"

  # The load balancer tells the addresses of clients.
  trust_proxy = [env("PROXY", "127.0.0.1")]

  # What holds for the rooms whose name matches the pattern, here for all.
  room "*" {
    # Pages are told the members of their room, and every change. A page whose network was away for
    # less than leave_grace keeps its place. `weir check` warns, rightly: without an auth block, a
    # client can claim to be anybody.
    presence {
      info        = "{'name': substring(default(client.params.name, 'guest'), 0, 40)}"
      leave_grace = "30s"
      data        = "doing"
    }

    # The newest messages of each room are kept in Redis for pages that come back after a cut, to
    # any instance: they get what they have missed.
    history {
      size = 100
      ttl  = "10m"
    }
  }
}

connector "api" {
  type        = "rest"
  port        = constants.port
  trust_proxy = [env("PROXY", "127.0.0.1")]
}

# Instances on one machine can share a file. On several machines they share a PostgreSQL, as in
# examples/postgres.
connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("CHAT_DB", "./data/chat.db")
  migrations = env("MIGRATIONS", "../chat/migrations")
}

# ── Chat ─────────────────────────────────────────────────────────────────────────────────────────

# What a page tells the others of its user.
type "doing" {
  typing = boolean
}

# A browser sends {"type":"message","id":1,"data":{"id":"…","room":"lobby","text":"Hello"}}. Its data
# must have these fields, and no others. The page can repeat a message with the same id.
type "message" {
  id   = string({ min_length = 1, max_length = 64 })
  room = string
  text = string({ pattern = "\\S", max_length = 2000 })
}

# From here on, text in quotes is an expression: `input` is the event, and `client` is the connection
# that sent it.
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

  # The payload for the destinations, line by line. The name comes from the query of the connection's
  # address and is not verified, so it is only displayed. With an auth block, it could come from a
  # token.
  transform {
    kind       = "'message'"
    id         = "input.id"
    room       = "input.room"
    author     = "substring(default(client.params.name, 'guest'), 0, 40)"
    text       = "trim(input.text)"
    created_at = "now()"
  }

  # Destinations run one after the other, each only after the one before it succeeded: clients see
  # only stored messages. Values are bound to the names in the statement. A message that is sent
  # again, because its ack was lost, is stored once, and its message_id keeps the room from hearing
  # it twice. The sender hears it as well: all members see the messages in the same order.
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

  # The answer to the sender: {"type":"ack","id":1,"data":{"created_at":"…"}}.
  # `output` is the result of the first destination, here a list of rows.
  response {
    created_at = "first(output).created_at"
  }
}

# The last messages of a room: GET /rooms/lobby/messages. A page asks when it opens the room, and after
# a cut that was longer than what `history` keeps.
#
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

# The rooms in which something was said last: how often, and when. A page counts on from there.
flow "rooms" {
  from {
    connector = "api"
    operation = "GET /rooms"
  }
  to {
    connector = "db"
    query     = <<-SQL
      SELECT room AS name, count(*) AS messages, max(created_at) AS newest
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
  # The target is a table: the fields of the payload are its columns.
  to {
    connector = "db"
    target    = "orders"
    operation = "UPSERT"
    key       = "id"
  }
  # Clients of all instances get it.
  to {
    connector = "ws"
    operation = "broadcast"
    transform {
      kind       = "'order'"
      id         = "output.id"
      status     = "output.status"
      updated_at = "output.updated_at"
    }
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
