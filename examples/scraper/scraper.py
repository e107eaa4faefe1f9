"""The same conversation in Python, with a helper that makes believe (set_mock): python3 scraper.py rtcv_scraper_client"""
import json, subprocess, sys
helper = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
def ask(type, content=None):
    print(json.dumps({"type": type, "content": content}), file=helper.stdin, flush=True)
    return json.loads(helper.stdout.readline()).get("content")
helper.stdout.readline()  # it is ready
ask("set_mock", {})
for number in ["ada", "grace", "ada"]:
    print(number, "known" if ask("has_cached_reference", number) else ask("send_cv", {"referenceNumber": number}))
