# The same service on several instances: PostgreSQL keeps its messages, and Redis links its instances.
service {
  name = "live"
}

connector "ws" {
  type      = "websocket"
  port      = 3000
  path      = "/ws"
  backplane = "bus"
}

connector "bus" {
  type   = "mq"
  driver = "redis"
  url    = env("REDIS_URL", "redis://localhost:6379")
}

connector "db" {
  type       = "database"
  driver     = "postgres"
  url        = env("DATABASE_URL", "postgres://weir:weir@localhost:5432/live")
  migrations = "./migrations"
}

# Clients of every instance get it.
flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  validate {
    input = "message"
  }
  to {
    connector = "db"
    target    = "messages"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}

type "message" {
  text = string({ min_length = 1, max_length = 2000 })
}
