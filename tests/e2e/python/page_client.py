"""Does everything that the published protocol has, with the `websockets` package of Python.

Its argument is the address of a server with the configuration of `tests/fixtures/talk`. It writes
one line of JSON for each step to standard output; the first failure ends it with a traceback.
"""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

PAGE_TYPES = {"message", "error"}
PATIENCE = 10


def report(step, **facts):
    print(json.dumps({"step": step, **facts}), flush=True)


async def send(client, frame):
    await client.send(frame if isinstance(frame, str) else json.dumps(frame))


async def receive(client):
    text = await asyncio.wait_for(client.recv(), PATIENCE)
    assert isinstance(text, str), "a binary frame"
    frame = json.loads(text)
    assert frame["type"] in PAGE_TYPES, f"a type that the page does not have: {text}"
    return frame


def say(to, **data):
    return {"type": "message", "data": {"to": to, **data}}


async def main(url):
    # The keepalive of the package itself: a ping a second, and its own end where no pong comes.
    options = {"ping_interval": 1, "ping_timeout": 1, "close_timeout": PATIENCE}
    async with connect(f"{url}?user_id=anna", **options) as anna, connect(
        f"{url}?user_id=bob", **options
    ) as bob:
        report(
            "connect",
            subprotocol=anna.subprotocol,
            extensions=[extension.name for extension in anna.protocol.extensions],
        )

        await send(anna, say("me", text="grün 🙂"))
        report("response", frame=await receive(anna))

        await send(anna, say("everyone", text="hello"))
        report("broadcast", frames=[await receive(anna), await receive(bob)])

        await send(anna, {"type": "join_room", "room": "orders"})
        await send(bob, {"type": "join_room", "room": "orders"})
        # Bob's frames are served in order, so the response says that he has joined.
        await send(bob, say("me", text="joined"))
        await receive(bob)
        await send(anna, say("room", room="orders", text="for the room"))
        report("room", frames=[await receive(anna), await receive(bob)])

        await send(bob, {"type": "leave_room", "room": "orders"})
        await send(bob, say("me", text="left"))
        await receive(bob)
        await send(anna, say("room", room="orders", text="for those who stay"))
        await send(anna, say("user", user="bob", text="for bob"))
        report("after leaving", frames=[await receive(anna), await receive(bob)])

        await send(bob, "{")
        await send(bob, {"type": "mesage", "data": 1})
        await send(bob, {"type": "join_room"})
        report("errors", frames=[await receive(bob) for _ in range(3)])

        pong = await anna.ping()
        latency = await asyncio.wait_for(pong, PATIENCE)
        report("ping", answered=latency < PATIENCE)

        # Silent for longer than either side's ping and pong deadline together.
        await asyncio.sleep(3.5)
        await send(anna, say("me", text="still here"))
        report("keepalive", frame=await receive(anna), own_pongs=anna.latency > 0)

        await bob.close()
        report("close", code=bob.close_code, reason=bob.close_reason)

        report("waiting")
        try:
            await asyncio.wait_for(anna.recv(), PATIENCE)
        except ConnectionClosed:
            report("closed by the server", code=anna.close_code, reason=anna.close_reason)


asyncio.run(main(sys.argv[1]))
