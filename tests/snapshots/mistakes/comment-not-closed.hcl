connector "ws" {
  type = "websocket"
  port = 3001
}

/* what follows is for later
flow "say" {
  when = "@every 1h"
}
