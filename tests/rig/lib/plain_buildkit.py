#!/usr/bin/env python3
"""Serves an engine's BuildKit the way a standalone `buildkitd` is served: as plain gRPC.

An engine speaks gRPC only after an upgrade of `POST /grpc`. This forwarder asks for that on
each connection it accepts, and then carries bytes both ways. With certificates it speaks TLS,
and takes only clients that an authority of its own has signed.
"""
import argparse
import asyncio
import contextlib
import pathlib
import signal
import ssl
import sys

UPGRADE = b"POST /grpc HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
SOCKET_ERRORS = (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError)


async def upgraded(engine):
    reader, writer = await asyncio.open_unix_connection(engine)
    writer.write(UPGRADE)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    if not head.startswith(b"HTTP/1.1 101 "):
        writer.close()
        raise OSError(f"the engine answers {head.splitlines()[0].decode('latin-1')}")
    return reader, writer


async def carry(reader, writer):
    with contextlib.suppress(*SOCKET_ERRORS):
        while data := await reader.read(1 << 18):
            writer.write(data)
            await writer.drain()
    # Half of a connection has no use to gRPC, and TLS cannot close a half.
    writer.close()


def serving(engine):
    async def serve(reader, writer):
        try:
            engine_reader, engine_writer = await upgraded(engine)
        except SOCKET_ERRORS as error:
            print(f"plain_buildkit: {error}", file=sys.stderr, flush=True)
            writer.close()
            return
        await asyncio.gather(carry(reader, engine_writer), carry(engine_reader, writer))

    return serve


def tls(authority, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    return context


async def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("address", help="unix:///PATH, or HOST:PORT")
    parser.add_argument("engine", help="the path of the engine's socket")
    parser.add_argument("--tls", nargs=3, metavar=("AUTHORITY", "CERTIFICATE", "KEY"))
    arguments = parser.parse_args()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    if arguments.address.startswith("unix://"):
        path = pathlib.Path(arguments.address.removeprefix("unix://"))
        path.unlink(missing_ok=True)
        await asyncio.start_unix_server(serving(arguments.engine), path)
    else:
        host, port = arguments.address.rsplit(":", 1)
        context = tls(*arguments.tls) if arguments.tls else None
        await asyncio.start_server(serving(arguments.engine), host, int(port), ssl=context)
    await stopped.wait()


if __name__ == "__main__":
    asyncio.run(main())
