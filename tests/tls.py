"""tls.py PORT FOLDER: TLS in front of PORT on a free loopback port, which is printed.

FOLDER holds cert.pem and key.pem. Ends with its standard input.
"""

import asyncio
import pathlib
import ssl
import sys

target, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])


async def forward(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def serve(reader, writer):
    try:
        server = await asyncio.open_connection("127.0.0.1", target)
    except OSError:
        writer.close()
        return
    await asyncio.gather(forward(reader, server[1]), forward(server[0], writer))


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    server.close()


asyncio.run(main())
