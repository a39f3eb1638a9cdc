"""A client of a room with history, written from docs/history.md alone, with Python's websockets.

Takes the URL and a number. It reads until it has all numbers up to that, and drops its connection
after every 40 messages. Prints what it has read as one line of JSON.
"""

import asyncio
import json
import sys

import websockets


class Room:
    """What the page tells a client to keep of a room."""

    def __init__(self, name):
        self.name = name
        self.epoch = None
        self.offset = None
        self.numbers = []
        self.unrecovered = 0

    def join(self):
        history = True
        if self.epoch is not None:
            history = {"epoch": self.epoch, "offset": self.offset}
        return {"type": "join_room", "id": 1, "room": self.name, "history": history}

    def hear(self, frame):
        if frame["type"] == "ack":
            if frame.get("recovered") is False:
                self.unrecovered += 1
            self.epoch, self.offset = frame["epoch"], frame["offset"]
        elif frame["type"] == "message":
            self.epoch = frame.get("epoch", self.epoch)
            self.offset = frame["offset"]
            self.numbers.append(frame["data"]["n"])


async def read(url, room, last):
    async with websockets.connect(url) as socket:
        await socket.send(json.dumps(room.join()))
        for _ in range(41):
            room.hear(json.loads(await socket.recv()))
            if len(room.numbers) == 0 and room.epoch is not None:
                print("ready", flush=True)
            if room.numbers and room.numbers[-1] == last:
                return
        # As when the network fails: no close frame.
        socket.transport.abort()


async def main(url, last):
    room = Room("h:1")
    while not room.numbers or room.numbers[-1] != last:
        try:
            await read(url, room, last)
        except (OSError, EOFError, websockets.WebSocketException):
            # Nobody listens while a worker is replaced.
            await asyncio.sleep(0.05)
    print(json.dumps({"numbers": room.numbers, "unrecovered": room.unrecovered}), flush=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
