# Every message becomes a row; its ack says that the commit is on the disk.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

connector "db" {
  type       = "database"
  driver     = "mysql"
  url        = env("BENCH_URL")
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
