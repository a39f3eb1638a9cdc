# Devices on an MQTT broker, and a page that shows their readings. A device publishes a reading on its
# own topic. Each reading is validated, stored and shown at once. A reading out of range raises an
# alarm, and new limits reach the devices as a retained message.
#
# A connector is something that Weir talks to. A flow takes events from one connector and delivers
# them to others. Text in quotes inside a flow is an expression: `input` is the event, and `match` has
# the levels of its topic that have a name.

# env() reads an environment variable, or returns the default.
constants {
  port = env("PORT", 3000)
}

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# The broker keeps what arrives while this service is away: the session has a name, and lasts a day.
# If the service is lost, the broker publishes its will; the flow "online" takes it back.
connector "mqtt" {
  type           = "mqtt"
  url            = env("MQTT_URL", "mqtt://localhost:1883")
  client_id      = env("MQTT_CLIENT_ID", "weir-devices")
  clean          = false
  session_expiry = "24h"

  will {
    topic   = "service/state"
    payload = "{\"online\":false}"
    qos     = 1
    retain  = true
  }
}

# Pages connect to ws://localhost:3000/ws, on the same port, which also serves the page and the client
# library that it imports.
connector "pages" {
  type   = "websocket"
  port   = constants.port
  path   = "/ws"
  static = "../iot/public"
  client = "/weir.js"
}

# The form of the page is a device as well: ws://localhost:3000/devices?device=greenhouse-1
connector "form" {
  type             = "websocket"
  port             = constants.port
  path             = "/devices"
  max_message_size = "4KB"
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
  database   = env("DEVICES_DB", "./data/devices.db")
  migrations = "../iot/migrations"
}

# Which devices are online. It is a database of its own, since the tables of the other one are those of
# examples/iot. The session of the broker keeps what devices say while this service is away.
connector "states" {
  type       = "database"
  driver     = "sqlite"
  database   = env("STATES_DB", "./data/states.db")
  migrations = "./migrations"
}

# ── Devices ──────────────────────────────────────────────────────────────────────────────────────

# A reading: mosquitto_pub -q 1 -t devices/greenhouse-1/reading -m '{"sensor":"temperature","value":21.5}'
#
# The id is the device's own. With QoS 1 a message may come twice; the row is then written again.
type "reading" {
  sensor = string({ pattern = "^[a-z][a-z0-9_]*$", max_length = 40 })
  value  = number({ min = -1000000, max = 1000000 })
  id     = string({ required = false, min_length = 1, max_length = 60 })
}

# The message is acknowledged when the reading is in the database and was sent to the pages. Data that
# is no reading is logged and counted, and not delivered again.
flow "reading" {
  from {
    connector = "mqtt"
    operation = "devices/{device}/reading"
    filter    = "match.device.matches('^[a-z0-9-]{1,40}$')"
  }
  validate {
    input = "reading"
  }

  # The normal range of this sensor: a row of the table `limits`, or null if it has none.
  step "limits" {
    connector = "db"
    query     = "SELECT low, high FROM limits WHERE sensor = :sensor"
    params    = { sensor = "input.sensor" }
  }

  # A line can use the lines above it as `output`.
  transform {
    kind   = "'reading'"
    id     = "match.device + ':' + default(input.id, uuid())"
    device = "match.device"
    sensor = "input.sensor"
    value  = "input.value"
    alarm  = "step.limits != null && (output.value < step.limits.low || output.value > step.limits.high)"
    at     = "now()"
  }

  to {
    connector = "db"
    target    = "readings"
    operation = "UPSERT"
    key       = "id"
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

# A device says that it is there with a retained message, and its will says when it is lost:
# mosquitto_pub -r -q 1 -t devices/greenhouse-1/state -m '{"online":true}'
type "state" {
  online = boolean
}

flow "state" {
  from {
    connector = "mqtt"
    operation = "devices/{device}/state"
  }
  validate {
    input = "state"
  }
  transform {
    kind   = "input.online ? 'online' : 'offline'"
    device = "match.device"
    at     = "now()"
  }
  to {
    connector = "states"
    target    = "devices"
    operation = "UPSERT"
    key       = "device"
    transform {
      device = "output.device"
      online = "input.online"
    }
  }
  to {
    connector = "pages"
    operation = "broadcast"
  }
}

# A reading of the form takes the way of all others, through the broker. Its ack says that the broker
# has it.
flow "form_reading" {
  from {
    connector = "form"
    operation = "reading"
  }
  accept {
    when = "default(client.params.device, '').matches('^[a-z0-9-]{1,40}$')"
  }
  validate {
    input = "reading"
  }
  to {
    connector = "mqtt"
    target    = "'devices/' + client.params.device + '/reading'"
    qos       = 1
  }
}

# ── Pages ────────────────────────────────────────────────────────────────────────────────────────

# The newest reading of each sensor, for a new page.
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
    connector = "states"
    rows      = "all"
    query     = "SELECT device FROM devices WHERE online ORDER BY device"
  }
  response {
    devices = "step.online.map(row, row.device)"
  }
}

# The normal range of a sensor. The two limits can be in any order. Devices learn them from a retained
# message: whoever subscribes to limits/temperature later gets the latest at once.
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
  to {
    connector = "mqtt"
    target    = "'limits/' + input.sensor"
    qos       = 1
    retain    = true
    transform {
      low  = "output.low"
      high = "output.high"
    }
  }
}

# A command to one device: curl --json '{"pump":"on"}' http://localhost:3000/devices/greenhouse-1/commands
flow "command" {
  from {
    connector = "api"
    operation = "POST /devices/:device/commands"
  }
  accept {
    when = "input.device.matches('^[a-z0-9-]{1,40}$')"
  }
  to {
    connector = "mqtt"
    target    = "'devices/' + input.device + '/command'"
    qos       = 1
    transform {
      pump = "input.pump"
    }
  }
  response { sent = "true" }
}

# Others see at service/state whether this service is there: a minute after its start at the latest.
flow "online" {
  when = "* * * * *"

  to {
    connector = "mqtt"
    target    = "service/state"
    qos       = 1
    retain    = true
    transform {
      online = "true"
    }
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
