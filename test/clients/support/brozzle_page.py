"""
Brozzles one page as brozzler's worker does, without a frontier and its database: what `brozzle-page` does, with a Warcprox-Meta.

Takes a JSON object: url, proxy (HOST:PORT), chrome (its command), meta (Warcprox-Meta), video (whether to look for videos).
Prints one: outlinks, or the Warcprox-Meta of the limit that was reached; the page's status and the videos that were sent to the proxy.
"""

import json
import logging
import socket
import sys

import structlog

structlog.configure(
    logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
)

import brozzler  # noqa: E402


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def without_pauses():
    """yt-dlp is told to wait up to half a minute before each download, for the sake of real sites."""
    from brozzler import ydl

    build = ydl._build_youtube_dl

    def build_hasty(*args):
        built = build(*args)
        built.params.update(sleep_interval=0, max_sleep_interval=0)
        return built

    ydl._build_youtube_dl = build_hasty


def main():
    asked = json.loads(sys.argv[1])
    if asked["video"]:
        without_pauses()
    site = brozzler.Site(None, {"id": -1, "seed": asked["url"], "warcprox_meta": asked["meta"]})
    page = brozzler.Page(None, {"url": asked["url"], "site_id": site.id, "hop_path": "L"})
    worker = brozzler.BrozzlerWorker(
        frontier=None, proxy=asked["proxy"], skip_youtube_dl=not asked["video"], behavior_timeout=5, page_timeout=60
    )
    browser = brozzler.Browser(chrome_exe=asked["chrome"], port=free_port(), ignore_cert_errors=True)
    told = {}
    try:
        browser.start(proxy=asked["proxy"])
        told["outlinks"] = sorted(worker.brozzle_page(browser, site, page, enable_youtube_dl=asked["video"]))
        told["status"] = browser.websock_thread.page_status
    except brozzler.ReachedLimit as reached:
        told["reached"] = reached.warcprox_meta
    finally:
        browser.stop()
    told["videos"] = page.get("videos") or []
    print(json.dumps(told))


if __name__ == "__main__":
    main()
