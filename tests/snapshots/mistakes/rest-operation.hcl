connector "ws" {
  type = "websocket"
  port = 3001
}

connector "api" {
  type = "rest"
  port = 3002
}

flow "notify" {
  from {
    connector = "api"
    operation = "/notify"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
