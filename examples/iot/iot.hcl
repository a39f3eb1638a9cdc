# Devices and a page that watches them. A device sends readings over a WebSocket of its own; they are
# checked, stored and shown at once, and one that is out of range raises an alarm.
#
# A connector is something that Weir can talk to. A flow takes events from one connector and hands
# them to others. What is in quotes inside a flow is an expression: `input` is what arrived, `client`
# the connection that it came from.

constants {
  port = 3000
}

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# Devices connect to ws://localhost:3000/devices?device=greenhouse-1. The name is not verified: on a
# network that is not yours, an auth block belongs here.
connector "devices" {
  type             = "websocket"
  port             = constants.port
  path             = "/devices"
  max_message_size = "4KB"
}

# Pages connect to ws://localhost:3000/ws, on the same port, which also serves the page in public/.
connector "pages" {
  type   = "websocket"
  port   = constants.port
  path   = "/ws"
  static = "./public"
}

# HTTP requests, again on that port.
connector "api" {
  type = "rest"
  port = constants.port
}

# env() reads an environment variable, or takes the default. New files in migrations/ are applied
# when the server starts, each once.
connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("IOT_DB", "./data/iot.db")
  migrations = "./migrations"
}

# ── Devices ──────────────────────────────────────────────────────────────────────────────────────

# A connection without a proper name is refused.
flow "online" {
  from {
    connector = "devices"
    operation = "connect"
  }
  accept {
    when = "default(client.params.device, '').matches('^[a-z0-9-]{1,40}$')"
  }
  transform {
    kind   = "'online'"
    device = "client.params.device"
    at     = "now()"
  }
  to {
    connector = "pages"
    operation = "broadcast"
  }
}

flow "offline" {
  from {
    connector = "devices"
    operation = "disconnect"
  }
  transform {
    kind   = "'offline'"
    device = "client.params.device"
    at     = "now()"
  }
  to {
    connector = "pages"
    operation = "broadcast"
  }
}

# A device sends {"type":"reading","id":1,"data":{"sensor":"temperature","value":21.5}}. Data that
# does not look like this is refused, and the device is told all that is wrong with it.
type "reading" {
  sensor = string({ pattern = "^[a-z][a-z0-9_]*$", max_length = 40 })
  value  = number({ min = -1000000, max = 1000000 })
}

flow "reading" {
  from {
    connector = "devices"
    operation = "reading"
  }
  validate {
    input = "reading"
  }

  # The range in which this sensor is well: a row of the table `limits`, or null where it has none.
  step "limits" {
    connector = "db"
    query     = "SELECT low, high FROM limits WHERE sensor = :sensor"
    params = {
      sensor = "input.sensor"
    }
  }

  # A line may use those above it as `output`. What a device says of itself changes nothing about
  # whose reading this is.
  transform {
    kind   = "'reading'"
    id     = "uuid()"
    device = "client.params.device"
    sensor = "input.sensor"
    value  = "input.value"
    alarm  = "step.limits != null && (output.value < step.limits.low || output.value > step.limits.high)"
    at     = "now()"
  }

  # One after the other, each only if the one before succeeded: what pages see is stored, and the
  # device's ack means that its reading is on disk. A table's columns are the payload's fields, so
  # here the payload is made to fit.
  to {
    connector = "db"
    target    = "readings"
    transform {
      id     = "output.id"
      device = "output.device"
      sensor = "output.sensor"
      value  = "output.value"
      alarm  = "output.alarm"
      at     = "output.at"
    }
  }
  to {
    connector = "pages"
    operation = "broadcast"
  }

  # Who wants to be woken joins the room: {"type":"join_room","room":"alarms"}
  to {
    connector = "pages"
    operation = "send_to_room"
    target    = "alarms"
    when      = "output.alarm"
    transform {
      kind   = "'alarm'"
      id     = "output.id"
      at     = "output.at"
      device = "output.device"
      text   = "output.sensor + ' is ' + output.value + ', not ' + step.limits.low + ' to ' + step.limits.high"
    }
  }
}

# ── Pages ────────────────────────────────────────────────────────────────────────────────────────

# What a page shows before anything new arrives: the newest reading of each sensor. A flow without a
# response answers with what its first destination returns, here the rows.
flow "newest" {
  from {
    connector = "api"
    operation = "GET /readings"
  }
  to {
    connector = "db"
    query     = <<-SQL
      SELECT id, device, sensor, value, alarm, at
      FROM (
        SELECT *, row_number() OVER (PARTITION BY device, sensor ORDER BY position DESC) AS age
        FROM readings
      )
      WHERE age = 1
      ORDER BY device, sensor
    SQL
  }
}

# Where a sensor is well, in whichever order the two are given.
type "limit" {
  sensor = string({ pattern = "^[a-z][a-z0-9_]*$", max_length = 40 })
  low    = number
  high   = number
}

# curl --json '{"low":0,"high":30}' http://localhost:3000/limits/temperature
flow "set_limit" {
  from {
    connector = "api"
    operation = "POST /limits/:sensor"
  }
  validate {
    input = "limit"
  }
  transform {
    sensor = "input.sensor"
    low    = "min_val([input.low, input.high])"
    high   = "max_val([input.low, input.high])"
  }
  to {
    connector = "db"
    target    = "limits"
    operation = "UPSERT"
    key       = "sensor"
  }
}

# Readings older than a week go, every night at three.
flow "tidy" {
  when = "0 3 * * *"

  to {
    connector = "db"
    query     = "DELETE FROM readings WHERE at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-7 days')"
  }
}
