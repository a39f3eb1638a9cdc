/** What `weir --help` prints, and the defaults that it names. */
import { VERSION } from "../base/version.ts";

/** The templates of `weir init`. */
export const TEMPLATES = ["chat", "dashboard", "notifications", "iot"] as const;

/** Where the templates of `weir init` listen. */
export const TEMPLATE_URL = "http://localhost:3000";

/** Where the examples have their admin port. */
export const ADMIN_URL = "http://localhost:9090";

/** What `--help` shows. */
export const USAGE = `weir ${VERSION}: a declarative real-time server

usage:
  weir [run] [PATH…]   run files, or folders of *.hcl and *.mycel (default: this folder)
  weir check [PATH…]   check a configuration without running it
  weir test [PATH…]    run the test blocks of a configuration, without a server
  weir init FOLDER     create a project in a folder
  weir health [URL]    ask a running server whether it is ready (default: ${TEMPLATE_URL})
  weir status [URL]    ask an admin port how the server is (default: ${ADMIN_URL})

options of run:
  --watch              restart when a file of the configuration changes
  --workers N          serve with N processes that share the ports (default: 1; Linux only)
  --port NAME=PORT     replace the port of the connector NAME; 0 for any free port
  --admin-port PORT    replace the admin_port of the service block; 0 for any free port
  --log-level LEVEL    trace, debug, info (default), warning, error
  --log-format FORMAT  text (default) or json

options of check:
  --strict             treat warnings as errors
  --connect            also connect to every database and broker
  --json               print the problems as JSON

options of test:
  --filter TEXT        run only the tests whose name contains TEXT
  --coverage           list what no test goes through
  --json               print the results as JSON

options of run, check and test:
  --env-file FILE      read environment variables from FILE, except those that are set
  --dotenv             the same with the file .env, which need not exist

options of init:
  --template NAME      ${TEMPLATES.join(", ")} (default: ${TEMPLATES[0]})

options of health and status:
  --timeout DURATION   how long to wait for the answer (default: 5s)
  --token TOKEN        the admin_token (default: the variable WEIR_ADMIN_TOKEN)

  --help, --version

exit codes: 0 success, 1 invalid configuration, failed test or server that is not ready,
2 invalid usage, or status got no answer, 3 failed start`;
