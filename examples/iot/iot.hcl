# Devices, and a page that shows their readings. A device sends readings over its own WebSocket. Each
# reading is validated, stored and shown at once. A reading out of range raises an alarm.
#
# A connector is something that Weir talks to. A flow takes events from one connector and delivers
# them to others. Text in quotes inside a flow is an expression: `input` is the event, and `client` is
# the connection that sent it.

# env() reads an environment variable, or returns the default.
constants {
  port = env("PORT", 3000)
}

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# Devices connect to ws://localhost:3000/devices?device=greenhouse-1. The name is not verified. On a
# public network, add an auth block.
connector "devices" {
  type             = "websocket"
  port             = constants.port
  path             = "/devices"
  max_message_size = "4KB"

  # Every connection of a device is a member of the room "online", from its first moment to its last.
  room "online" {
    join = "false" # A device does not join by itself: a flow lets it in.
    presence {
      info        = "client.params.device"
      leave_grace = "0s"
      max         = 10000
    }
  }
}

# Pages connect to ws://localhost:3000/ws, on the same port. It also serves the page in public/, and the
# client library that the page imports from /weir.js.
connector "pages" {
  type   = "websocket"
  port   = constants.port
  path   = "/ws"
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
  database   = env("IOT_DB", "./data/iot.db")
  migrations = "./migrations"
}

# ── Devices ──────────────────────────────────────────────────────────────────────────────────────

# A connection without a valid device name is refused.
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
    connector = "devices"
    operation = "join_room"
    target    = "online"
  }
  to {
    connector = "pages"
    operation = "broadcast"
  }
}

# A device can have two connections for a while: it connects again before the server has noticed that
# the old connection is dead. It is offline when the last one has gone.
flow "offline" {
  from {
    connector = "devices"
    operation = "disconnect"
  }

  # A step looks something up. Its result is step.NAME, here the members of the room.
  step "others" {
    connector = "devices"
    operation = "presence"
    target    = "online"
  }
  transform {
    kind   = "'offline'"
    device = "client.params.device"
    at     = "now()"
  }
  to {
    connector = "pages"
    operation = "broadcast"
    when      = "!step.others.members.exists(member, member.info == output.device)"
  }
}

# A device sends {"type":"reading","id":1,"data":{"sensor":"temperature","value":21.5}}. Other data is
# refused, and the device gets the list of violations.
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

  # The normal range of this sensor: a row of the table `limits`, or null if it has none.
  step "limits" {
    connector = "db"
    query     = "SELECT low, high FROM limits WHERE sensor = :sensor"
    params = {
      sensor = "input.sensor"
    }
  }

  # A line can use the lines above it as `output`. The device is the one of the connection, whatever
  # the data contains.
  transform {
    kind   = "'reading'"
    id     = "uuid()"
    device = "client.params.device"
    sensor = "input.sensor"
    value  = "input.value"
    alarm  = "step.limits != null && (output.value < step.limits.low || output.value > step.limits.high)"
    at     = "now()"
  }

  # Destinations run one after the other, each only after the one before it succeeded: pages see only
  # stored readings, and the ack of the device means that its reading is on disk. The fields of the
  # payload are the columns of the table, so a transform selects them.
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

  # Pages that want alarms join the room: {"type":"join_room","room":"alarms"}
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

# The newest reading of each sensor, for a new page. A flow without a response answers with the result
# of its first destination, here the rows.
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

# The devices that are online, for a new page.
flow "devices_online" {
  from {
    connector = "api"
    operation = "GET /online"
  }
  step "online" {
    connector = "devices"
    operation = "presence"
    target    = "online"
  }
  response {
    devices = "step.online.members.map(member, member.info)"
  }
}

# The normal range of a sensor. The two limits can be in any order.
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

# Deletes readings older than a week, every night at three.
flow "tidy" {
  when = "0 3 * * *"

  to {
    connector = "db"
    query     = "DELETE FROM readings WHERE at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-7 days')"
  }
}
