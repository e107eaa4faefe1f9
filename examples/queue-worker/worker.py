"""A worker for `warctap queue serve`: HEROSHI_API_KEY=boris:KEY python3 worker.py http://127.0.0.1:8001 [PROXY]

Takes URLs, fetches them (through an archiving PROXY such as http://127.0.0.1:8000), reports, and ends when the queue is
empty. One that works for others looks at robots.txt first, as `warctap queue worker` does. Standard library only."""
import json, os, sys, time, urllib.error, urllib.request

manager, proxy = (sys.argv[1:] + [None, None])[:2]
web = urllib.request.build_opener(urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {}))
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

def call(method, path, body):
    request = urllib.request.Request(manager + path, body.encode(), {"X-Heroshi-Auth": os.environ["HEROSHI_API_KEY"]}, method=method)
    while True:
        try:
            with direct.open(request, timeout=20) as answer:
                return json.load(answer), int(answer.headers.get("Retry-After", 0))
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path}: {error.code} {error.read().decode().strip()}")
        except OSError as error:  # away for now; what was not answered may be sent again
            print(f"waiting for the manager: {error}", file=sys.stderr)
            time.sleep(1)

def visit(url):
    report = {"url": url, "visited": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())}
    try:
        answer = web.open(urllib.request.Request(url, headers={"User-Agent": "example-worker/1"}), timeout=30)
    except urllib.error.HTTPError as error:
        answer = error  # an answer, too
    except Exception as error:
        return report | {"status_code": None, "result": str(error), "headers": {}}
    length = len(answer.read(10_000_000))
    return report | {"status_code": answer.status, "result": answer.reason, "headers": dict(answer.headers), "content_length": length}

items, pause = call("POST", "/crawl-queue", "limit=20")
while items or pause:  # a worker that is held back is told when to ask again
    for item in items:
        call("PUT", "/report", json.dumps(visit(item["url"])))
        print(item["url"])
    time.sleep(pause)
    items, pause = call("POST", "/crawl-queue", "limit=20")
