# Every message becomes a row. Its ack says that the row is committed and on the disk: what Weir
# writes to SQLite is durable (journal_mode WAL, synchronous FULL).

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("BENCH_DATABASE", "./data/bench.db")
  migrations = "./migrations"
}

flow "store" {
  from {
    connector = "ws"
    operation = "message"
  }
  to {
    connector = "db"
    target    = "messages"
  }
}
