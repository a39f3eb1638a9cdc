# Every row that anybody inserts into `prices` reaches every client.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

connector "db" {
  type       = "database"
  driver     = "postgres"
  url        = env("BENCH_URL")
  migrations = "./migrations"

  changes {
    slot        = env("BENCH_SLOT")
    publication = "weir_bench"
  }
}

flow "deliver" {
  from {
    connector = "db"
    operation = "INSERT prices"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
