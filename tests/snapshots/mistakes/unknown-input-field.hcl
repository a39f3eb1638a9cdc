type "message" {
  text = string
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
  validate {
    input = "message"
  }
  transform {
    text = "input.txt"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
