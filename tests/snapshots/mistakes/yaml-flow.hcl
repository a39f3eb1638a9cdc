flow:
  from: ws
  to: ws
