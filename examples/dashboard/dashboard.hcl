# A dashboard of live numbers. A program posts a reading over HTTP. The reading is stored, and every
# open page shows it at once. A new page loads the stored readings.
#
# A connector is something that Weir talks to. A flow takes events from one connector, or from the
# clock, and delivers them to others.

# env() reads an environment variable, or returns the default.
constants {
  port   = env("PORT", 3000)
  points = 60 # readings of each metric that a page draws
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

# HTTP requests, on the same port.
connector "api" {
  type = "rest"
  port = constants.port
}

# At the start, the server applies new files in migrations/, each once.
connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("DASHBOARD_DB", "./data/dashboard.db")
  migrations = "./migrations"
}

# A broker inside the process. With driver = "rabbitmq" and a url, any program can publish readings,
# and the flows below stay as they are.
connector "events" {
  type   = "mq"
  driver = "memory"
}

# ── Receiving ────────────────────────────────────────────────────────────────────────────────────

# The fields of a reading. Any other body is answered with 422 and the list of violations.
type "reading" {
  metric = string({ pattern = "^[a-z][a-z0-9_]*$", max_length = 40 })
  value  = number
  unit   = string({ max_length = 12, default = "" })
}

# curl --json '{"metric":"orders_open","value":12}' http://localhost:3000/readings
flow "record" {
  from {
    connector = "api"
    operation = "POST /readings"
  }
  validate {
    input = "reading"
  }

  # Text in quotes is an expression: `input` is the event.
  transform {
    id     = "uuid()"
    metric = "input.metric"
    value  = "input.value"
    unit   = "input.unit"
    at     = "now()"
  }

  # Destinations run one after the other, each only after the one before it succeeded: pages see only
  # stored readings. In a database, the fields of the payload are the columns. For a broker, the
  # target is a routing key.
  to {
    connector = "db"
    target    = "readings"
  }
  to {
    connector = "events"
    target    = "'reading.' + output.metric"
  }
}

# ── Schedules ────────────────────────────────────────────────────────────────────────────────────

# A flow can also start on a schedule. This one looks something up first: the result of a step is
# `step.NAME`, here the single row of the query. The result is published like a reading, but not
# stored.
flow "count" {
  when = "@every 2s"

  step "stored" {
    connector = "db"
    query     = "SELECT count(*) AS amount FROM readings"
  }
  transform {
    id     = "uuid()"
    metric = "'readings_stored'"
    value  = "step.stored.amount"
    unit   = "''"
    at     = "now()"
  }
  to {
    connector = "events"
    target    = "reading.readings_stored"
  }
}

# Deletes readings older than a day, every hour.
flow "tidy" {
  when = "0 * * * *"

  to {
    connector = "db"
    query     = "DELETE FROM readings WHERE at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')"
  }
}

# ── Publishing ───────────────────────────────────────────────────────────────────────────────────

# Every page gets reading.ANYTHING, from this service or, with a real broker, from any program.
flow "live" {
  from {
    connector = "events"
    operation = "reading.*"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}

# The newest readings of every metric, for a new page. A flow without a response answers with the
# result of its first destination, here the rows.
flow "recent" {
  from {
    connector = "api"
    operation = "GET /readings"
  }
  to {
    connector = "db"
    query     = <<-SQL
      SELECT id, metric, value, unit, at
      FROM (
        SELECT *, row_number() OVER (PARTITION BY metric ORDER BY position DESC) AS age
        FROM readings
      )
      WHERE age <= :points
      ORDER BY position
    SQL
    params = {
      points = "constants.points"
    }
  }
}
