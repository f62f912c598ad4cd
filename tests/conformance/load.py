"""Many connections at once that ask the same things over and over, signed once."""

import asyncio
import json
import time
from dataclasses import dataclass

from signing import CONTENT_TYPE, Caller

CONNECTIONS = 64
# The answer to one request may take this long under load.
ANSWER_SECONDS_MAX = 30


@dataclass(frozen=True)
class Told:
    """One answer: when its request was sent (`time.monotonic`), its status, and its error's name or None."""

    sent: float
    status: int
    error: str | None


def signed(server, credentials, operation, parameters, token=None):
    """The bytes of a signed call; they are good for five minutes."""
    caller = Caller(server.port, *credentials)
    headers = [("content-type", CONTENT_TYPE), ("x-amz-target", f"TrentService.{operation}")]
    method, target, headers, body = caller.request(body=json.dumps(parameters).encode(), headers=headers,
                                                   token=token)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{method} {target} HTTP/1.1\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body


class Line:
    """One connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, server):
        """Connects to a server."""
        return cls(*await asyncio.open_connection("127.0.0.1", server.port))

    async def ask(self, request):
        """Sends a request and waits for its answer."""
        sent = time.monotonic()
        self.writer.write(request)
        return await asyncio.wait_for(self._answer(sent), ANSWER_SECONDS_MAX)

    async def _answer(self, sent):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        body = await self.reader.readexactly(length)
        status = int(head.split(" ", 2)[1])
        return Told(sent, status, None if status == 200 else json.loads(body)["__type"].rsplit("#", 1)[-1])

    def close(self):
        """Ends the connection."""
        self.writer.close()


async def _each(server, work):
    lines = await asyncio.gather(*(Line.open(server) for _ in range(CONNECTIONS)))
    try:
        return await asyncio.gather(*(work(number, line) for number, line in enumerate(lines)))
    finally:
        for line in lines:
            line.close()


def repeat(server, requests, times):
    """Each connection asks one of the requests, in turn, so many times: the answers by request."""
    async def work(number, line):
        request = requests[number % len(requests)]
        return [await line.ask(request) for _ in range(times)]

    told = asyncio.run(_each(server, work))
    return [[one for answers in told[start::len(requests)] for one in answers] for start in range(len(requests))]


def around(server, request, change, before=3, after=3):
    """All connections ask while `change` is made: all answers, and when the change was acknowledged.

    The change begins when every connection has had some answers, and each asks some more after it ended.
    """
    async def all_ask():
        warm, ended = asyncio.Semaphore(0), asyncio.Event()
        at = []

        async def work(_, line):
            told = [await line.ask(request) for _ in range(before)]
            warm.release()
            while not ended.is_set():
                told.append(await line.ask(request))
            return told + [await line.ask(request) for _ in range(after)]

        async def make():
            for _ in range(CONNECTIONS):
                await warm.acquire()
            try:
                await asyncio.to_thread(change)
            finally:
                at.append(time.monotonic())
                ended.set()

        answers, _ = await asyncio.gather(_each(server, work), make())
        return [one for told in answers for one in told], at[0]

    return asyncio.run(all_ask())
