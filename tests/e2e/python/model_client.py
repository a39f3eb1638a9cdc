"""Uses the client of docs/client.md, which the test has written to weir.py in the working directory.

Its arguments are the URL, the token, and what it does first: `join` joins the room, `late` makes a
request that has no time. Each number on its standard input is that of the requests that it sends to
the room next. It prints each frame that the client shows, each answer, and how the client ends.
"""

import asyncio
import functools
import itertools
import json
import random
import sys

sys.path.insert(0, ".")
import weir

# It waits as any other, but is lucky: a test cuts more often than networks do.
uniform = random.uniform
random.uniform = lambda low, high: uniform(low, high / 10)
# A test does not wait for 40 seconds.
weir.connect = functools.partial(weir.connect, ping_interval=1, ping_timeout=1)


def report(**facts):
    print(json.dumps(facts), flush=True)


async def say(client):
    lines = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(lines)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    numbers = itertools.count()
    while line := await lines.readline():
        for n in itertools.islice(numbers, int(line)):
            data = {"room": "chat:7", "text": str(n)}
            report(answer=await client.request("say", data, timeout=120), n=n)


async def main(url, token, first):
    tokens = 0

    async def next_token():
        nonlocal tokens
        tokens += 1
        return token

    client = weir.Client(url, next_token, lambda frame: report(shown=frame))
    running = asyncio.create_task(client.run())
    if first == "join":
        await client.join("chat:7")
    elif first == "late":
        try:
            await client.request("never", None, timeout=0.1)
        except TimeoutError:
            report(late=True)
    saying = asyncio.create_task(say(client))
    report(refused=await running, tokens=tokens)
    saying.cancel()


asyncio.run(main(*sys.argv[1:]))
