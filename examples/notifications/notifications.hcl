# Notifications: a program posts a notification about a topic, and all followers of the topic see it
# at once. It is stored, so that a page can load what it missed while it was offline.
#
# A connector is something that Weir talks to. A flow takes events from one connector and delivers
# them to others. Text in quotes inside a flow is an expression: `input` is the event.

# env() reads an environment variable, or returns the default.
constants {
  port   = env("PORT", 3000)
  missed = 50 # notifications of a topic that a page loads after a reconnect
}

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# Browsers connect to ws://localhost:3000/ws. The same port serves the page in public/, and the client
# library that the page imports from /weir.js.
connector "ws" {
  type   = "websocket"
  port   = constants.port
  static = "./public"
  client = "/weir.js"
}

# HTTP requests, on the same port. Any program that can reach the port can post. On a public network,
# put an authenticating proxy in front.
connector "api" {
  type = "rest"
  port = constants.port
}

# At the start, the server applies new files in migrations/, each once.
connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("NOTIFICATIONS_DB", "./data/notifications.db")
  migrations = "./migrations"
}

# ── Posting ──────────────────────────────────────────────────────────────────────────────────────

# The fields of a notification. Any other body is answered with 422 and the list of violations. A
# program that may post the same notification twice adds a key.
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

  # The same key within ten minutes is the same notification: the request is answered as the first
  # one was, and the followers are notified once. Without a key, each notification is new.
  dedupe {
    key = "input.key"
    ttl = "10m"
  }

  # Destinations run one after the other, each only after the one before it succeeded.
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

# ── Following ────────────────────────────────────────────────────────────────────────────────────

# To follow a topic, a page joins the room with its name: {"type":"join_room","room":"deploys"}. That
# needs no flow.
#
# {"type":"missed","id":2,"data":{"topic":"deploys","after":"…"}} then loads the notifications after
# the last one that the page has seen, or without `after` the newest ones.
type "question" {
  topic = string
  after = string({ required = false })
}

flow "missed" {
  from {
    connector = "ws"
    operation = "missed"
  }

  # `client` is the connection that sent the event. Only followers of a topic can load its history;
  # other clients get an error.
  accept {
    when = "input.topic in client.rooms"
  }
  validate {
    input = "question"
  }

  # A step looks something up. Its result is step.NAME; with rows = "all" it is a list of rows.
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

  # The answer to the client: {"type":"ack","id":2,"data":{"notifications":[…]}}
  response {
    notifications = "step.missed"
  }
}
