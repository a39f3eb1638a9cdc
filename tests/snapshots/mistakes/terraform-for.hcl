connector "ws" {
  type    = "websocket"
  port    = 3001
  origins = [for name in ["a", "b"] : "https://${name}.example.com"]
}
