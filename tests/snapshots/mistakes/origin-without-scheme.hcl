connector "ws" {
  type    = "websocket"
  port    = 3001
  origins = ["example.com"]
}
