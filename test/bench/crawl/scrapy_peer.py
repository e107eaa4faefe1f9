"""Scrapy with scrapy-warcio over the site, as its README has it, and what that costs this process.

    scrapy_peer.py PORT SPIDERS FOLDER

As polite as ours in the same run: no delay, no robots.txt, 20 requests at once. Prints a line of JSON.
"""

import itertools
import json
import os
import resource
import sys
import time

port, spiders, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.makedirs(folder, exist_ok=True)


def settings_for(number):
    """Of one spider: they take the same file name otherwise."""
    config = os.path.join(folder, f"settings-{number}.yml")
    with open(config, "w") as file:
        json.dump(
            {
                "warc_spec": "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.0/",
                "max_warc_size": 10_000_000_000,
                "collection": "bench",
                "description": "bench",
                "operator": "bench@example.com",
                "robots": "ignore",
                "user_agent": "bench",
                "warc_prefix": f"bench{number}",
                "warc_dest": folder,
            },
            file,
        )
    return config


import scrapy  # noqa: E402
import scrapy_warcio  # noqa: E402
from scrapy.crawler import CrawlerProcess  # noqa: E402

pages = 0
writers = itertools.count()


class Warcio:
    def __init__(self):
        os.environ["SCRAPY_WARCIO_SETTINGS"] = settings_for(next(writers))
        self.warcio = scrapy_warcio.ScrapyWarcIo()

    def process_request(self, request):
        request.meta["WARC-Date"] = scrapy_warcio.warc_date()

    def process_response(self, request, response):
        self.warcio.write(response, request)
        return response


class Site(scrapy.Spider):
    name = "site"
    start_urls = [f"http://127.0.0.1:{port}/page/0"]

    def parse(self, response):
        global pages
        pages += 1
        for link in response.css("a::attr(href)").getall():
            yield response.follow(link, self.parse)


process = CrawlerProcess(
    {
        "LOG_LEVEL": "ERROR",
        "ROBOTSTXT_OBEY": False,
        "DOWNLOAD_DELAY": 0,
        "CONCURRENT_REQUESTS": 20,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 20,
        "COOKIES_ENABLED": True,
        "DOWNLOADER_MIDDLEWARES": {Warcio: 543},
        "TELNETCONSOLE_ENABLED": False,
        "JOBDIR": os.path.join(folder, "job") if spiders == 1 else None,
    }
)
for _ in range(spiders):
    process.crawl(Site)


def used():
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


before, begun = used(), time.monotonic()
process.start()
print(
    json.dumps(
        {
            "pages": pages,
            "cpuMs": (used() - before) * 1000,
            "wallMs": (time.monotonic() - begun) * 1000,
            "maxRssMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
