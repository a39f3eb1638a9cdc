connector "ws" {
  type = "websocket"
  host = "localhost:3001"
  port = 3001
}
