# `weir test` runs these tests without a broker: one in memory routes as MQTT does. The database is in
# memory, with the migrations applied.

test "a reading is stored and shown" {
  client "page" { connector = "pages" }

  given "mqtt" {
    operation = "devices/greenhouse-1/reading"
    data      = { id = "7", sensor = "temperature", value = 21.5 }
  }

  expect "db" {
    target = "readings"
    data   = { id = "greenhouse-1:7", device = "greenhouse-1", sensor = "temperature", value = 21.5, alarm = false }
  }
  expect "page" { data = { kind = "reading", device = "greenhouse-1", value = 21.5 } }
}

test "a reading that comes twice is one row" {
  given "mqtt" {
    operation = "devices/greenhouse-1/reading"
    data      = { id = "7", sensor = "temperature", value = 21.5 }
  }
  given "mqtt" {
    operation = "devices/greenhouse-1/reading"
    data      = { id = "7", sensor = "temperature", value = 21.5 }
  }

  given "api" { operation = "GET /readings" }
  expect "api" { data = [{ id = "greenhouse-1:7", value = 21.5 }] }
}

test "a value out of range raises an alarm in the room alarms" {
  client "page" { connector = "pages" }
  client "guard" {
    connector = "pages"
    rooms     = ["alarms"]
  }

  given "mqtt" {
    operation = "devices/greenhouse-1/reading"
    data      = { sensor = "temperature", value = 41 }
  }

  expect "guard" {
    room = "alarms"
    data = { kind = "alarm", device = "greenhouse-1", text = "temperature is 41, not 5 to 35" }
  }
  expect "page" { data = { kind = "reading", alarm = true } }
  expect "page" { nothing = true }
}

test "what the form sends goes through the broker" {
  client "pump" {
    connector = "form"
    params    = { device = "pump" }
  }
  client "page" { connector = "pages" }

  given "pump" {
    operation = "reading"
    id        = 1
    data      = { sensor = "pressure", value = 2 }
  }

  expect "pump" {
    type = "ack"
    id   = 1
  }
  expect "mqtt" {
    target = "devices/pump/reading"
    data   = { sensor = "pressure", value = 2 }
  }
  expect "page" { data = { kind = "reading", device = "pump", sensor = "pressure" } }
}

test "new limits are kept, and devices learn them" {
  given "api" {
    operation = "POST /limits/pressure"
    data      = { low = 9, high = 1 }
  }
  expect "api" { data = { sensor = "pressure", low = 1, high = 9 } }
  expect "mqtt" {
    target = "limits/pressure"
    data   = { low = 1, high = 9 }
  }
}

test "a command reaches the topic of its device" {
  given "api" {
    operation = "POST /devices/pump/commands"
    data      = { pump = "on" }
  }
  expect "api" { data = { sent = true } }
  expect "mqtt" {
    target = "devices/pump/command"
    data   = { pump = "on" }
  }
}

test "devices come and go" {
  client "page" { connector = "pages" }

  given "mqtt" {
    operation = "devices/pump/state"
    data      = { online = true }
  }
  expect "page" { data = { kind = "online", device = "pump" } }
  given "api" { operation = "GET /online" }
  expect "api" { data = { devices = ["pump"] } }
  given "mqtt" {
    operation = "devices/pump/state"
    data      = { online = false }
  }
  expect "page" { data = { kind = "offline", device = "pump" } }
  given "api" { operation = "GET /online" }
  expect "api" { data = { devices = [] } }
}

test "what is no reading is not stored" {
  given "mqtt" {
    operation = "devices/greenhouse-1/reading"
    data      = { sensor = "temperature", value = "hot" }
  }
  expect "mqtt" { error = "validation_failed" }
  given "mqtt" {
    operation = "devices/Not a device/reading"
    data      = { sensor = "temperature", value = 1 }
  }
  expect "db" { nothing = true }
}
