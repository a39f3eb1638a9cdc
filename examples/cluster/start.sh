#!/bin/sh
# Starts Redis, three instances of the chat and Caddy on this machine, and ends all of them with
# Ctrl-C. Each Enter kills the next instance without a warning, and starts it again two seconds later.
#
# WEIR is the command that runs a configuration, PORT the port of the page. The ports after it are
# those of the instances and of Redis.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
PORT=${PORT:-3000}
WEIR=${WEIR:-deno run -A $here/../../src/cli-deno.ts}
folder=$(mktemp -d)
redis_port=$((PORT + 4))
pids=""

for program in redis-server caddy; do
  command -v "$program" > /dev/null || {
    echo "start.sh needs $program: sudo apt-get install redis-server caddy" >&2
    exit 1
  }
done

end() {
  trap - INT TERM EXIT
  for pid in $pids $(cat "$folder"/*.pid 2> /dev/null); do kill "$pid" 2> /dev/null || true; done
  wait 2> /dev/null || true
  rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT TERM

redis-server --port "$redis_port" --bind 127.0.0.1 --save "" --appendonly no > "$folder/redis.log" &
pids="$!"

start() {
  PORT=$((PORT + $1)) REDIS_URL="redis://127.0.0.1:$redis_port" CHAT_DB="$folder/chat.db" \
    $WEIR run "$here" &
  echo $! > "$folder/$1.pid"
}

for number in 1 2 3; do start "$number"; done

INSTANCES="localhost:$((PORT + 1)) localhost:$((PORT + 2)) localhost:$((PORT + 3))" \
  PORT=$PORT caddy run --config "$here/Caddyfile" --adapter caddyfile > "$folder/caddy.log" 2>&1 &
pids="$pids $!"

echo "Open http://localhost:$PORT in two tabs. Enter kills an instance, Ctrl-C ends all."
number=0
while read -r _; do
  number=$((number % 3 + 1))
  echo "killing instance $number, at port $((PORT + number))"
  kill -9 "$(cat "$folder/$number.pid")" 2> /dev/null || true
  sleep 2
  start "$number"
done
# Without a terminal nothing is read.
wait
