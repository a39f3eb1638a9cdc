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
    price = "Math.round(input.price)"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
