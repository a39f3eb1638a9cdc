# `weir test` runs these tests without a server. The database is in memory, with the migrations
# applied. Steps run in the order written. An expect must find what it names.

test "a reading is stored, and every page shows it" {
  client "page" {}
  client "another" {}

  given "api" {
    operation = "POST /readings"
    data      = { metric = "orders_open", value = 12 }
  }

  expect "api" { status = 201 }
  expect "db" {
    target = "readings"
    data   = { metric = "orders_open", value = 12, unit = "" }
  }
  expect "page" { data = { metric = "orders_open", value = 12 } }
  expect "another" { data = { metric = "orders_open", value = 12 } }
}

test "pages show every reading that is published on the broker" {
  client "page" {}

  given "events" {
    operation = "reading.temperature"
    data      = { id = "r1", metric = "temperature", value = 21.5, unit = "°C", at = "2026-01-31T12:00:00Z" }
  }

  expect "page" { data = { metric = "temperature", value = 21.5 } }
}

test "a new page loads the stored readings" {
  given "api" {
    operation = "POST /readings"
    data      = { metric = "orders_open", value = 1 }
  }
  given "api" {
    operation = "POST /readings"
    data      = { metric = "orders_open", value = 2 }
  }
  expect "api" {
    status = 201
    count  = 2
  }

  given "api" { operation = "GET /readings" }
  expect "api" {
    status = 200
    data   = [{ value = 1 }, { value = 2 }]
  }
}

test "an invalid reading is refused with every violation" {
  client "page" {}

  given "api" {
    operation = "POST /readings"
    data      = { metric = "Orders open", value = "12" }
  }

  expect "api" {
    status = 422
    data   = { error = { code = "validation_failed", details = [{ path = "metric" }, { path = "value" }] } }
  }
  expect "page" { nothing = true }
  expect "db" { nothing = true }
}

test "every two seconds the page gets the number of stored readings" {
  client "page" {}

  advance { by = "2s" }
  expect "page" { data = { metric = "readings_stored", value = 0 } }

  given "api" {
    operation = "POST /readings"
    data      = { metric = "orders_open", value = 12 }
  }
  advance { by = "2s" }
  expect "page" { data = { metric = "readings_stored", value = 1 } }
}
