"""The requests that are measured, byte for byte."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One request, and how many of it go out before the answers are awaited."""

    name: str
    title: str
    request: bytes
    depth: int = 1


def get(path: str, *fields: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *fields, "", ""]).encode()


def post(path: str, content: bytes) -> bytes:
    head = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        "",
        "",
    ]
    return "\r\n".join(head).encode() + content


TWEET = (
    b'{"author": "ada", "text": "The Analytical Engine has no pretensions whatever to originate anything. It can do '
    b'whatever we know how to order it to perform. It can follow analysis.", "public": true, "n": 1}'
)

# What a desktop browser sends to a page it has a session with: 12 field lines beside Host, about 800 bytes.
BROWSER_FIELDS = (
    "Connection: keep-alive",
    'sec-ch-ua: "Chromium";v="142", "Not=A?Brand";v="24", "Google Chrome";v="142"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: navigate",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en;q=0.9,da;q=0.8",
    (
        "Cookie: session=eyJ1c2VyIjoiYWRhIiwibGFzdCI6IjE4NDMtMDktMDEifQ.aR7nVg.4kq0mJZk1yY2sYxq3dQ0Qb1o2x8; "
        "theme=dark; visitor=0f8e3c1a-5d1b-4c43-9a57-1f7f1c0f6f2e; consent=necessary+statistics; region=eu-north"
    ),
)

CASES = [
    Case("hello", "GET /hello", get("/hello")),
    Case("json", "GET /json (a document of 190 bytes)", get("/json")),
    Case("parameter", "GET /users/42 by /users/<int:user_id>", get("/users/42")),
    Case("post", f"POST /json with {len(TWEET)} bytes of JSON", post("/json", TWEET)),
    Case("pipelined", "GET /hello, 16 in one write", get("/hello"), depth=16),
    Case("browser", "GET /hello with a browser's 13 fields", get("/hello", *BROWSER_FIELDS)),
]
