# The services of page.hcl: a database, and a RabbitMQ on any machine.

constants {
  # MQ=memory takes a broker inside the process in the place of RabbitMQ.
  mq       = env("MQ", "rabbitmq")
  url      = env("RABBITMQ_URL", "amqp://guest:guest@localhost:5672")
  exchange = env("RABBITMQ_EXCHANGE", "page")
  queue    = env("RABBITMQ_QUEUE", "page-packing")
}

connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("PAGE_DB", "./data/page.db")
  migrations = "./migrations"
}

# Every instance of this service has its own queue, so each one's clients see every event. Events
# published while this service is disconnected are lost. A queue with a name would keep them.
connector "rabbit" {
  type   = "mq"
  driver = constants.mq
  url    = constants.url

  exchange {
    name = constants.exchange
    type = "topic"
  }
}
