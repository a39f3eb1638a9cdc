connector "ws" {
  type = "websocket"
  port = 3001
}

flow "tick" {
  when = "@every 5s"
  transform {
    user = "client.user_id"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
