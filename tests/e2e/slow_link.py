"""A slow link, run where connections begin: `slow_link.py LISTEN ADDRESS PORT SECONDS`.

Connections to port LISTEN of this machine go on to ADDRESS:PORT; whatever comes, in either direction, goes on
SECONDS later. Ends with its standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys


async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float) -> None:
    """Take what comes from one side to the other, late and in order."""
    late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    clock = asyncio.get_running_loop().time

    async def hand_over() -> None:
        while True:
            due, data = await late.get()
            await asyncio.sleep(max(0.0, due - clock()))
            if not data:
                break
            sink.write(data)
            await sink.drain()
        sink.write_eof()

    handing = asyncio.create_task(hand_over())
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65536):
            late.put_nowait((clock() + seconds, data))
    late.put_nowait((clock() + seconds, b""))
    with contextlib.suppress(OSError):
        await handing


async def main(listen: int, address: str, port: int, seconds: float) -> None:
    """Serve until standard input ends."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection(address, port)
        await asyncio.gather(carry(reader, forth, seconds), carry(back, writer, seconds))
        forth.close()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", listen):
        print("listening", flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
