"""Takes what a crawl job fetches as it comes, and goes on where it was after a break of any kind.

    pip install protobuf websockets
    protoc --python_out=. starbelly.proto        # the file is in the package: dist/crawl/proto/starbelly.proto
    STARBELLY_PASSWORD=... python3 sync.py JOB_ID

JOB_ID is 32 hexadecimal digits. A line is printed for each item. The last token is kept in JOB_ID.token: it is written when an item has been
dealt with, so that after a crash the rest comes, and of the last item at most a second copy.
"""
import asyncio
import gzip
import os
import pathlib
import sys
from urllib.parse import quote

import websockets

import starbelly_pb2 as pb

URL = os.environ.get("STARBELLY_URL", "ws://127.0.0.1:8010/ws/")
USER = os.environ.get("STARBELLY_USERNAME", "admin")
PASSWORD = os.environ["STARBELLY_PASSWORD"]


def deal_with(item):
    body = gzip.decompress(item.body) if item.is_compressed else item.body
    what = item.exception if item.HasField("exception") else f"{item.status_code} {item.content_type} {len(body)} bytes"
    print(item.url, what, item.warc_file, item.warc_offset, flush=True)


async def follow(job_id, token_file):
    """Returns when the job has ended and all of it was dealt with; raises when the connection breaks."""
    credentials = f"//{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@"
    # Bodies may be large, and the library refuses messages above 1 MiB unless it is told.
    async with websockets.connect(URL.replace("//", credentials, 1), max_size=None) as socket:
        request = pb.Request(request_id=1)
        request.subscribe_job_sync.job_id = job_id
        if token_file.exists():
            request.subscribe_job_sync.sync_token = token_file.read_bytes()
        await socket.send(request.SerializeToString())
        async for data in socket:
            message = pb.ServerMessage.FromString(data)
            if message.HasField("response"):
                if not message.response.is_success:
                    sys.exit(message.response.error_message)
            elif message.event.HasField("sync_item"):
                deal_with(message.event.sync_item.item)
                token_file.write_bytes(message.event.sync_item.token)
            elif message.event.HasField("subscription_closed"):
                closed = message.event.subscription_closed
                return closed.message if closed.reason == pb.SubscriptionClosed.ERROR else None
    raise ConnectionError("the server has closed the connection")


async def main():
    job_id = bytes.fromhex(sys.argv[1])
    while True:
        try:
            return await follow(job_id, pathlib.Path(f"{job_id.hex()}.token"))
        except (OSError, websockets.ConnectionClosed) as error:
            print(f"again in a second: {error}", file=sys.stderr)
            await asyncio.sleep(1)


sys.exit(asyncio.run(main()))
