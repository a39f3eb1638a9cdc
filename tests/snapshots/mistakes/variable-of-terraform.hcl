constants {
  greeting = "Hello"
}

connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  transform {
    text = "var.greeting"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
