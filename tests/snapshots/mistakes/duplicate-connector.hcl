connector "ws" {
  type = "websocket"
  port = 3001
}

connector "ws" {
  type = "websocket"
  port = 3002
}
