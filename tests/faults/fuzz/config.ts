/** What the servers of the fuzzers serve. */

/** Writes a row. */
const storing = `
  transform {
    text = "input.text"
    n    = "input.n"
  }
  to {
    connector = "db"
    target    = "notes"
  }
`;

/** A service that does a little of everything; `attributes` are those of the websocket connector. */
export function fuzzConfig(attributes: string): string {
  return `
  connector "ws" {
    type             = "websocket"
    port             = 0
    ${attributes}
    max_rooms        = 8
    rate_limit {
      messages = 200
      per      = "1s"
    }
  }
  connector "api" {
    type = "rest"
    port = 0
  }
  connector "db" {
    type       = "database"
    driver     = "sqlite"
    database   = ":memory:"
    migrations = "./migrations"
  }
  connector "mq" {
    type   = "mq"
    driver = "memory"
  }
  type "note" {
    text = string({ max_length = 20, pattern = "^[a-z]*$" })
    n    = number({ min = 0, default = 1 })
  }
  ${flow("echo", 'response {\n data = "input.data"\n }')}
  ${flow("store", storing)}
  ${flow("typed", `validate {\n input = "note"\n }\n ${storing}`)}
  ${
    flow(
      "slow",
      `step "wait" {\n connector = "db"\n query = "SELECT count(*) AS n FROM notes"\n }
    reject {\n when = "input.text == 'no'"\n code = "__proto__"\n message = "no"\n }
    dedupe {\n key = "input.id"\n ttl = "1s"\n max_keys = 100\n }
    transform {\n n = "step.wait.n"\n }
    to {\n connector = "ws"\n operation = "send_to_room"\n target = "'a'"\n exclude_sender = true\n }`,
    )
  }
  ${
    flow(
      "publish",
      `transform {\n text = "upper(input.text)"\n }\n to {\n connector = "mq"\n target = "'notes'"\n }`,
    )
  }
  ${
    flow(
      "message",
      `to {\n connector = "ws"\n operation = "broadcast"\n filter = "client.rooms.size() > 1"\n }`,
    )
  }
  flow "consume" {
    from {
      connector = "mq"
      operation = "notes"
    }
    to {
      connector = "ws"
      operation = "send_to_user"
      target    = "input.text"
    }
  }
  flow "post" {
    from {
      connector = "api"
      operation = "POST /notes"
    }
    ${storing}
  }
  flow "trim" {
    when = "@every 500ms"
    to {
      connector = "db"
      query     = "DELETE FROM notes"
    }
  }
  flow "count" {
    from {
      connector = "api"
      operation = "GET /count"
    }
    to {
      connector = "ws"
      operation = "broadcast"
    }
    response { recipients = "output.recipients" }
  }
`;
}

/** A flow on frames of its name. */
function flow(name: string, text: string): string {
  return `flow "${name}" {\n from {\n connector = "ws"\n operation = "${name}"\n }\n ${text}\n }`;
}
