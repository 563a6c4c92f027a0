"""GET /health: the version, for a website that may use this program, and for a second start of the program itself."""

import http.client
import json

from aiohttp import web

from . import VERSION

PATH = "/health"
SECONDS = 3
LARGEST_ANSWER = 1024


def read_origin(request: web.Request) -> str:
    """The origin of the page that asks, or an empty text for what is no such question: not a GET of /health without
    query, not from a page, sent with something to read from it."""
    origins = request.headers.getall("Origin", [])
    is_plain = request.method == "GET" and request.path_qs == PATH and not request.can_read_body
    mode, target = request.headers.get("Sec-Fetch-Mode", "cors"), request.headers.get("Sec-Fetch-Dest", "empty")
    return origins[0] if is_plain and len(origins) == 1 and (mode, target) == ("cors", "empty") else ""


def answer_health(origin: str) -> web.Response:
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Vary": "Origin",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return web.json_response({"version": VERSION}, headers=headers)


def is_running(port: int) -> bool:
    """True if a bridge of this user answers on the port. Another user's bridge refuses, another program knows nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", PATH, headers={"Origin": f"http://127.0.0.1:{port}"})
        answer = connection.getresponse()
        said = json.loads(answer.read(LARGEST_ANSWER))
        return answer.status == 200 and isinstance(said, dict) and isinstance(said.get("version"), str)
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
