"""wpull over the site, into a gzipped WARC file, and what that costs this process. For Python 3.6, as wpull 2.0.1 knows no later one.

    wpull_peer.py PORT 1 FOLDER

As polite as ours in the same run: no delay, no robots.txt, 20 requests at once. Prints a line of JSON.
"""

import gzip
import json
import os
import resource
import sys
import time

from wpull.application.builder import Builder
from wpull.application.options import AppArgumentParser

port, folder = sys.argv[1], sys.argv[3]
os.makedirs(folder, exist_ok=True)
os.chdir(folder)
options = [
    "http://127.0.0.1:%s/page/0" % port,
    *("--recursive", "--level", "inf", "--span-hosts", "--no-robots", "--concurrent", "20", "--wait", "0"),
    *("--warc-file", "bench", "--no-warc-keep-log", "--delete-after", "--database", "bench.db", "--quiet"),
]
app = Builder(AppArgumentParser().parse_args(options)).build()


def used():
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


before, begun = used(), time.monotonic()
app.run_sync()
cpu, wall = used() - before, time.monotonic() - begun
with gzip.open("bench.warc.gz") as file:
    pages = sum(line == b"WARC-Type: response\r\n" for line in file)
print(
    json.dumps(
        {
            "pages": pages,
            "cpuMs": cpu * 1000,
            "wallMs": wall * 1000,
            "maxRssMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
