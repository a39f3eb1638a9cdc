connectors:
  - name: ws
    type: websocket
    port: 3001
