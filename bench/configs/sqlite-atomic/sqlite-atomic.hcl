# Every message becomes two rows: with two commits, or in one transaction.

constants {
  port = env("BENCH_PORT", 3001)
}

connector "plain" {
  type = "websocket"
  port = constants.port
  path = "/plain"
}

connector "atomic" {
  type = "websocket"
  port = constants.port
  path = "/atomic"
}

connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("BENCH_DATABASE", "./data/bench.db")
  migrations = "./migrations"
}

flow "plain" {
  from {
    connector = "plain"
    operation = "message"
  }
  to {
    connector = "db"
    target    = "orders"
  }
  to {
    connector = "db"
    target    = "events"
  }
}

flow "atomic" {
  from {
    connector = "atomic"
    operation = "message"
  }
  to {
    connector = "db"
    target    = "orders"
    atomic    = true
  }
  to {
    connector = "db"
    target    = "events"
    atomic    = true
  }
}
