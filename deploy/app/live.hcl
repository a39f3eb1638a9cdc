# A small service to deploy: a message of a client is stored, and reaches every client.
service {
  name = "live"
}

connector "ws" {
  type = "websocket"
  host = env("HOST", "0.0.0.0") # 127.0.0.1 behind a proxy on the same machine
  port = 3000
  path = "/ws"

  # A proxy on the same machine tells the addresses of clients.
  trust_proxy = ["127.0.0.1", "::1"]
}

connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = "./data/live.db"
  migrations = "./migrations"
}

# Messages go through the broker, so that they reach the clients of every replica.
connector "events" {
  type   = "mq"
  driver = env("MQ", "memory") # MQ=rabbitmq takes the broker at AMQP_URL
  url    = env("AMQP_URL", "amqp://guest:guest@localhost")

  exchange {
    name = "live"
  }
}

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
    connector = "events"
    target    = "message.said"
  }
}

flow "hear" {
  from {
    connector = "events"
    operation = "message.said"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}

type "message" {
  text = string({ min_length = 1, max_length = 2000 })
}
