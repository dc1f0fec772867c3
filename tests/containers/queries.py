"""Asks Prometheus the queries of panels, until all but some have found something; runs in a container.

queries.py PANELS EMPTY: a JSON object of title -> queries, and a JSON array of the titles that may stay empty. Prints
the titles of those that are empty after five minutes, or when only these are left.
"""

import json
import sys
import time
import urllib.parse
import urllib.request


def finds(query: str) -> bool:
    """Whether a query has a result that is a number, now."""
    url = f"http://127.0.0.1:9090/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            results = json.load(response)["data"]["result"]
    except OSError:
        return False
    return any(result["value"][1] != "NaN" for result in results)


if __name__ == "__main__":
    panels, expected = json.loads(sys.argv[1]), set(json.loads(sys.argv[2]))
    deadline = time.monotonic() + 300
    while True:
        empty = {title for title, queries in panels.items() if not all(map(finds, queries))}
        if empty <= expected or time.monotonic() > deadline:
            break
        time.sleep(5)
    print(json.dumps(sorted(empty)))
