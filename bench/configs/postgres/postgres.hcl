# Every message becomes a row; its ack says that the commit is on the disk. A `read` is answered with
# one row.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

connector "db" {
  type       = "database"
  driver     = "postgres"
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

flow "read" {
  from {
    connector = "ws"
    operation = "read"
  }
  step "item" {
    connector = "db"
    query     = "SELECT name, price FROM items WHERE id = :id"
    params    = { id = "input.id" }
  }
  response {
    name  = "step.item.name"
    price = "step.item.price"
  }
}
