service {
  plugins = ["./pulse.ts", "./print.ts"]
}

connector "heart" {
  type  = "pulse"
  every = "100ms"
}

connector "out" {
  type   = "print"
  prefix = "beat "
}

flow "tell" {
  from {
    connector = "heart"
    operation = "beat"
    filter    = "input.count < 4"
  }
  to {
    connector = "out"
  }
}

test "three beats are told" {
  mock "out" {}
  advance {
    by = "1s"
  }
  expect "out" {
    data  = { count = 3 }
  }
  expect "out" {
    count = 2
  }
}
