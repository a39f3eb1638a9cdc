#!/bin/sh
# Starts Weir and the program that signs users in on this machine, with a secret that both have. Ctrl-C
# ends both.
#
# RUNTIME is what runs them, PORT the port of the page. The program that signs users in has the next
# port.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
RUNTIME=${RUNTIME:-deno run -A}
export PORT="${PORT:-3000}"
export SIGN_IN_PORT=$((PORT + 1))
export SIGN_IN_URL="http://127.0.0.1:$SIGN_IN_PORT"
export ORIGIN="${ORIGIN:-http://localhost:$PORT}"
export JWT_SECRET="${JWT_SECRET:-$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')}"

end() {
  trap - INT TERM EXIT
  kill $pids 2> /dev/null || true
  wait 2> /dev/null || true
}
pids=""
trap end EXIT
trap 'exit 130' INT TERM

$RUNTIME "$here/sign-in.ts" &
pids="$!"
$RUNTIME "$here/../../src/cli.ts" run "$here" &
pids="$pids $!"

echo "Open http://localhost:$PORT in two tabs. Ctrl-C ends both programs."
# Without Weir, the other program ends as well.
wait "$!"
