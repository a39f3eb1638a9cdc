# What page.hcl talks to: a database, and a RabbitMQ that may be anywhere.
connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("PAGE_DB", "./data/page.db")
  migrations = "./migrations"
}

# Every instance of this service has its own queue, so each one's clients see every event. Events
# published while the broker cannot be reached wait for nobody: a named queue would keep them.
connector "rabbit" {
  type   = "mq"
  driver = "rabbitmq"
  url    = env("RABBITMQ_URL", "amqp://guest:guest@localhost:5672")

  exchange {
    name = env("RABBITMQ_EXCHANGE", "page")
    type = "topic"
  }
}
