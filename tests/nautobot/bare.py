"""How many interfaces a second a Nautobot takes when nothing but lists of them is sent: `bare.py URL TOKEN`.

Needs a device there; makes 500 interfaces of it in lists of 50, one list, two and four lists at a time, and deletes them.
"""
import concurrent.futures
import json
import sys
import time
import urllib.request

URL, TOKEN = sys.argv[1:]
ROWS, LIST = 500, 50


def ask(method, path, body=None):
    request = urllib.request.Request(f"{URL}/api/{path}", method=method, data=json.dumps(body).encode() if body else None)
    request.add_header("Authorization", f"Token {TOKEN}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.loads(answer.read() or "null")


device = ask("GET", "dcim/devices/?limit=1&depth=0")["results"][0]["id"]
status = ask("GET", "extras/statuses/?name=Active&depth=0")["results"][0]["id"]
for at_a_time in (1, 2, 4):
    lists = [
        [{"device": device, "name": f"bare {row}", "type": "virtual", "status": status} for row in range(first, first + LIST)]
        for first in range(0, ROWS, LIST)
    ]
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(at_a_time) as pool:
        made = [row["id"] for rows in pool.map(lambda rows: ask("POST", "dcim/interfaces/", rows), lists) for row in rows]
    took = time.monotonic() - started
    assert len(made) == ROWS
    print(f"  {at_a_time} at a time: {ROWS} interfaces in {took:.1f} s, {ROWS / took:.1f} a second")
    for first in range(0, ROWS, LIST):
        ask("DELETE", "dcim/interfaces/", [{"id": row} for row in made[first:first + LIST]])
