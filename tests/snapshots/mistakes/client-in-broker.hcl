connector "ws" {
  type = "websocket"
  port = 3001
}

connector "events" {
  type = "mq"
  driver = "redis"
  host = "localhost"
}

flow "forward" {
  from {
    connector = "events"
    operation = "orders"
  }
  transform {
    user = "client.user_id"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
