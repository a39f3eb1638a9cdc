# `weir test` runs these tests without a server. The database is in memory, with the migrations
# applied. Steps run in the order written. An expect must find what it names.

test "a reading is stored, shown, and confirmed to its device" {
  client "greenhouse" {
    connector = "devices"
    params    = { device = "greenhouse-1" }
  }
  client "page" { connector = "pages" }

  given "greenhouse" {
    operation = "reading"
    id        = 1
    data      = { sensor = "temperature", value = 21.5 }
  }

  expect "greenhouse" {
    type = "ack"
    id   = 1
  }
  expect "db" {
    target = "readings"
    data   = { device = "greenhouse-1", sensor = "temperature", value = 21.5, alarm = false }
  }
  expect "page" { data = { kind = "reading", device = "greenhouse-1", value = 21.5 } }
}

test "a value out of range raises an alarm in the room alarms" {
  client "greenhouse" {
    connector = "devices"
    params    = { device = "greenhouse-1" }
  }
  client "page" { connector = "pages" }
  client "guard" {
    connector = "pages"
    rooms     = ["alarms"]
  }

  given "greenhouse" {
    operation = "reading"
    data      = { sensor = "temperature", value = 41 }
  }

  expect "guard" {
    room = "alarms"
    data = { kind = "alarm", device = "greenhouse-1", text = "temperature is 41, not 5 to 35" }
  }
  expect "page" { data = { kind = "reading", alarm = true } }
  expect "page" { nothing = true }
}

test "the limits of a sensor can be set, in any order" {
  client "pump" {
    connector = "devices"
    params    = { device = "pump" }
  }
  client "guard" {
    connector = "pages"
    rooms     = ["alarms"]
  }

  given "api" {
    operation = "POST /limits/pressure"
    data      = { low = 9, high = 1 }
  }
  expect "api" { data = { sensor = "pressure", low = 1, high = 9 } }

  given "pump" {
    operation = "reading"
    data      = { sensor = "pressure", value = 9.5 }
  }
  expect "guard" { data = { kind = "alarm", text = "pressure is 9.5, not 1 to 9" } }
}

test "invalid readings and a false device are refused" {
  client "pump" {
    connector = "devices"
    params    = { device = "pump" }
  }

  given "pump" {
    operation = "reading"
    data      = { sensor = "temperature", value = "hot", device = "greenhouse-1" }
  }

  expect "pump" {
    error   = "validation_failed"
    details = [{ path = "value" }, { path = "device" }]
  }
  expect "db" { nothing = true }
}

test "a device without a valid name is refused; other devices connect and disconnect" {
  client "page" { connector = "pages" }
  client "nobody" { connector = "devices" }
  client "pump" {
    connector = "devices"
    params    = { device = "pump" }
  }

  given "nobody" { operation = "connect" }
  expect "nobody" { error = "rejected" }
  expect "page" { nothing = true }

  given "pump" { operation = "connect" }
  expect "page" { data = { kind = "online", device = "pump" } }
  given "pump" { operation = "disconnect" }
  expect "page" { data = { kind = "offline", device = "pump" } }
}

test "a device is online until its last connection has gone" {
  client "page" { connector = "pages" }
  client "old" {
    connector = "devices"
    params    = { device = "pump" }
  }
  client "new" {
    connector = "devices"
    params    = { device = "pump" }
  }
  client "other" {
    connector = "devices"
    params    = { device = "greenhouse-1" }
  }

  given "other" { operation = "connect" }
  given "old" { operation = "connect" }
  given "new" { operation = "connect" }
  expect "page" { data = { kind = "online", device = "greenhouse-1" } }
  expect "page" { data = { kind = "online", device = "pump" } }
  expect "page" { data = { kind = "online", device = "pump" } }

  given "old" {
    operation = "disconnect"
    code      = 1006
  }
  expect "page" { nothing = true }
  given "api" { operation = "GET /online" }
  expect "api" { data = { devices = ["greenhouse-1", "pump"] } }

  given "new" { operation = "disconnect" }
  expect "page" { data = { kind = "offline", device = "pump" } }
  given "api" { operation = "GET /online" }
  expect "api" { data = { devices = ["greenhouse-1"] } }
}
