connector "ws" {
  type = "websocket"
  port = 3001
  host = "http://localhost"
}
