# What must happen, run without a server by `weir test`. The database is one in memory, with the
# migrations applied. Steps run in the order written; what an expect names is what it must find.

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

test "what is published on the broker is shown, whoever published it" {
  client "page" {}

  given "events" {
    operation = "reading.temperature"
    data      = { id = "r1", metric = "temperature", value = 21.5, unit = "°C", at = "2026-01-31T12:00:00Z" }
  }

  expect "page" { data = { metric = "temperature", value = 21.5 } }
}

test "a page that comes later loads what there is" {
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

test "what is no reading is refused with all that is wrong" {
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

test "every two seconds the page learns how many are stored" {
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
