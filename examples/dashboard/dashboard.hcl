# A dashboard of live numbers. Whatever can send an HTTP request posts a reading; it is stored, and
# every open page shows it at once. A page that comes later loads what it has missed.
#
# A connector is something that Weir can talk to. A flow takes events from one connector, or from the
# clock, and hands them to others.

constants {
  port   = 3000
  points = 60 # readings of each metric that a page draws
}

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# Browsers connect to ws://localhost:3000/ws. The same port serves the page in public/.
connector "ws" {
  type   = "websocket"
  port   = constants.port
  static = "./public"
}

# HTTP requests, on the same port.
connector "api" {
  type = "rest"
  port = constants.port
}

# env() reads an environment variable, or takes the default. New files in migrations/ are applied
# when the server starts, each once.
connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("DASHBOARD_DB", "./data/dashboard.db")
  migrations = "./migrations"
}

# A broker inside the process. With driver = "rabbitmq" and a url, readings can come from anywhere,
# and the flows below stay as they are.
connector "events" {
  type   = "mq"
  driver = "memory"
}

# ── Readings come in ─────────────────────────────────────────────────────────────────────────────

# What a reading must look like. Anything else is answered with 422 and the list of what is wrong.
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

  # What is in quotes here is an expression: `input` is what arrived.
  transform {
    id     = "uuid()"
    metric = "input.metric"
    value  = "input.value"
    unit   = "input.unit"
    at     = "now()"
  }

  # One after the other, each only if the one before succeeded: what pages see is stored. In a
  # database, the payload's fields are the columns; to a broker, the target is a routing key.
  to {
    connector = "db"
    target    = "readings"
  }
  to {
    connector = "events"
    target    = "'reading.' + output.metric"
  }
}

# ── Numbers of our own ───────────────────────────────────────────────────────────────────────────

# A flow can also start by the clock. This one looks something up first: the result of a step is
# `step.NAME`, here the query's single row. It is published like any other reading, but not stored.
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

# What is older than a day goes, at every full hour.
flow "tidy" {
  when = "0 * * * *"

  to {
    connector = "db"
    query     = "DELETE FROM readings WHERE at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')"
  }
}

# ── Readings go out ──────────────────────────────────────────────────────────────────────────────

# Whoever publishes reading.ANYTHING, here or, on a real broker, anywhere: every page is told.
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

# The newest readings of every metric, for a page that has just been opened. A flow without a
# response answers with what its first destination returns, here the rows.
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
