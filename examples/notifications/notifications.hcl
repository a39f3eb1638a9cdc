# Notifications: a program posts one about a topic, and everybody who follows that topic sees it at
# once. It is stored, so that a page that was away can ask for what it missed.
#
# A connector is something that Weir can talk to. A flow takes events from one connector and hands
# them to others. What is in quotes inside a flow is an expression: `input` is what arrived.

constants {
  port   = 3000
  missed = 50 # notifications of a topic that a page gets when it comes back
}

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# Browsers connect to ws://localhost:3000/ws. The same port serves the page in public/.
connector "ws" {
  type   = "websocket"
  port   = constants.port
  static = "./public"
}

# HTTP requests, on the same port. Whoever can reach it can notify: on a network that is not yours,
# let a proxy ask who they are.
connector "api" {
  type = "rest"
  port = constants.port
}

# env() reads an environment variable, or takes the default. New files in migrations/ are applied
# when the server starts, each once.
connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("NOTIFICATIONS_DB", "./data/notifications.db")
  migrations = "./migrations"
}

# ── To notify ────────────────────────────────────────────────────────────────────────────────────

# What a notification must look like. Anything else is answered with 422 and the list of what is
# wrong. A caller who may send the same one twice gives it a key.
type "notification" {
  topic = string({ pattern = "^[a-z0-9-]+$", max_length = 40 })
  title = string({ pattern = "\\S", max_length = 120 })
  text  = string({ max_length = 1000, default = "" })
  level = string({ enum = ["info", "warning", "urgent"], default = "info" })
  key   = string({ max_length = 100, required = false })
}

# curl --json '{"topic":"deploys","title":"Version 7 is out"}' http://localhost:3000/notifications
flow "notify" {
  from {
    connector = "api"
    operation = "POST /notifications"
  }
  validate {
    input = "notification"
  }
  transform {
    id         = "uuid()"
    topic      = "input.topic"
    level      = "input.level"
    title      = "input.title"
    text       = "input.text"
    created_at = "now()"
  }

  # The same key within ten minutes is the same notification: the caller is told that all is well,
  # and nobody is notified twice. Without a key each one is new.
  dedupe {
    key = "input.key"
    ttl = "10m"
  }

  # One after the other, each only if the one before succeeded: what is seen is stored.
  to {
    connector = "db"
    target    = "notifications"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "input.topic"
  }
}

# ── To be notified ───────────────────────────────────────────────────────────────────────────────

# To follow a topic is to join the room of that name: {"type":"join_room","room":"deploys"}. Weir
# keeps who is where; no flow is needed.
#
# Then {"type":"missed","id":2,"data":{"topic":"deploys","after":"…"}} asks for what came after the
# last notification that the page has seen, or without `after` for the newest.
type "question" {
  topic = string
  after = string({ required = false })
}

flow "missed" {
  from {
    connector = "ws"
    operation = "missed"
  }

  # `client` is the connection that it came from. Who asks about a topic follows it; anybody else is
  # told that this was refused.
  accept {
    when = "input.topic in client.rooms"
  }
  validate {
    input = "question"
  }

  # A step looks something up; its result is step.NAME, with "all" always the list of rows.
  step "missed" {
    connector = "db"
    rows      = "all"
    query     = <<-SQL
      SELECT id, topic, level, title, text, created_at
      FROM (
        SELECT * FROM notifications
        WHERE topic = :topic
          AND position > coalesce((SELECT position FROM notifications WHERE id = :after), 0)
        ORDER BY position DESC
        LIMIT :limit
      )
      ORDER BY position
    SQL
    params = {
      topic = "input.topic"
      after = "input.after"
      limit = "constants.missed"
    }
  }

  # The answer to who asked: {"type":"ack","id":2,"data":{"notifications":[…]}}
  response {
    notifications = "step.missed"
  }
}
