"""The checks of the fourteen tasks."""

import json
from collections.abc import Callable
from typing import Final

from .checking import Task

HOST: Final = "Host: localhost:8000"
CLOSE: Final = f"{HOST}\nConnection: close"
KEEP: Final = f"{HOST}\nConnection: keep-alive"


def check_raw_request(task: Task) -> None:
    """Lesson 1: the request comes back as content."""
    task.step("The content is the request, byte for byte.")
    request = f"GET /mirror HTTP/1.1\n{CLOSE}\nX-Colour: green"
    answer = task.ask(request)
    answer.wants_status(200)
    sent = task.pieces[0].data
    answer.wants_content(sent)
    task.step("Content-Length says how long it is.")
    answer.wants_field("Content-Length", str(len(sent)))
    task.step("Content-Type says what it is.")
    answer.wants_field("Content-Type", "message/http")


def check_split_request(task: Task) -> None:
    """Lesson 2: names of fields in any case, values without the spaces around them."""
    for line in ("User-Agent: robin/1", "user-agent:robin/1", "USER-AGENT:   robin/1  "):
        task.step(f"A client that sends {line!r} is greeted.")
        answer = task.ask(f"GET / HTTP/1.1\n{CLOSE}\n{line}")
        answer.wants_status(200)
        answer.wants_content(b"Hello, robin/1!\n")
    task.step("A client without a name is a stranger.")
    task.ask(f"GET / HTTP/1.1\n{CLOSE}").wants_content(b"Hello, stranger!\n")


def check_registry(task: Task) -> None:
    """Lesson 3: methods in the registry."""
    task.step("GET /hello is answered as before.")
    answer = task.ask(f"GET /hello HTTP/1.1\n{CLOSE}")
    answer.wants_status(200)
    answer.wants_content(b"Hello, World!")
    task.step("POST /hello is answered with 405, and Allow names GET.")
    answer = task.ask(f"POST /hello HTTP/1.1\n{CLOSE}\nContent-Length: 0")
    answer.wants_status(405)
    answer.wants_member("Allow", "GET")
    task.step("POST /guests is answered by a function of its own.")
    answer = task.ask(f"POST /guests HTTP/1.1\n{CLOSE}\nContent-Length: 0")
    answer.wants_status(200)
    answer.wants_content(b"Welcome!")
    task.step("GET /guests is answered with 405, and Allow names POST.")
    answer = task.ask(f"GET /guests HTTP/1.1\n{CLOSE}")
    answer.wants_status(405)
    answer.wants_member("Allow", "POST")
    task.step("POST /nowhere is answered with 404.")
    task.ask(f"POST /nowhere HTTP/1.1\n{CLOSE}\nContent-Length: 0").wants_status(404)


def check_request_headers(task: Task) -> None:
    """Lesson 4: the language that the client prefers."""
    cases = (
        ("de", "de"),
        ("en", "en"),
        ("en;q=0.3, de;q=0.9", "de"),
        ("de;q=0.3, en", "en"),
        ("fr", "en"),
        ("", "en"),
    )
    texts = {"de": b"Guten Tag!", "en": b"Hello!"}
    for preference, language in cases:
        line = f"\nAccept-Language: {preference}" if preference else ""
        said = line.strip() or "no Accept-Language"
        task.step(f"With {said} the answer is {texts[language].decode()!r}.")
        answer = task.ask(f"GET / HTTP/1.1\n{HOST}{line}")
        answer.wants_status(200)
        answer.wants_content(texts[language])
        answer.wants_field("Content-Language", language)
        answer.wants_member("Vary", "Accept-Language")


def check_response_headers(task: Task) -> None:
    """Lesson 5: types and caches."""
    task.step("/logo.svg is a picture.")
    answer = task.ask(f"GET /logo.svg HTTP/1.1\n{HOST}")
    answer.wants_status(200)
    answer.wants_member("Content-Type", "image/svg+xml")
    task.step("/logo.svg may be kept for a day.")
    answer.wants_member("Cache-Control", "max-age=86400")
    task.step("/points is JSON.")
    answer = task.ask(f"GET /points HTTP/1.1\n{HOST}")
    answer.wants_status(200)
    answer.wants_member("Content-Type", "application/json")
    answer.wants_in_content("3")
    task.step("/points is stored by nobody.")
    answer.wants_member("Cache-Control", "no-store")


def check_methods(task: Task) -> None:
    """Lesson 6: PUT, DELETE and Allow."""
    put = f"PUT /notes/shopping HTTP/1.1\n{HOST}\nContent-Length: 4\n\nmilk"
    task.step("PUT of a new note is answered with 201 and the note.")
    answer = task.ask(put)
    answer.wants_status(201)
    answer.wants_content(b"milk")
    task.step("The same PUT again is answered with 200.")
    task.ask(put).wants_status(200)
    task.step("GET gives the note, HEAD its length without content.")
    task.ask(f"GET /notes/shopping HTTP/1.1\n{HOST}").wants_content(b"milk")
    answer = task.ask(f"HEAD /notes/shopping HTTP/1.1\n{HOST}")
    answer.wants_status(200)
    answer.wants_field("Content-Length", "4")
    task.step("POST is answered with 405, and Allow names PUT and DELETE.")
    answer = task.ask(f"POST /notes/shopping HTTP/1.1\n{HOST}\nContent-Length: 4\n\nmilk")
    answer.wants_status(405)
    answer.wants_member("Allow", "PUT")
    answer.wants_member("Allow", "DELETE")
    delete = f"DELETE /notes/shopping HTTP/1.1\n{HOST}"
    task.step("DELETE is answered with 204 and no content, then with 404.")
    answer = task.ask(delete)
    answer.wants_status(204)
    answer.wants_content(b"")
    task.ask(delete).wants_status(404)
    task.step("The note is gone.")
    task.ask(f"GET /notes/shopping HTTP/1.1\n{HOST}").wants_status(404)


def check_statuses(task: Task) -> None:
    """Lesson 7: a status of each class."""
    for name, status in (
        ("tea", 200),
        ("chai", 302),
        ("wine", 403),
        ("juice", 404),
        ("coffee", 503),
    ):
        task.step(f"/drinks/{name} is answered with {status}.")
        answer = task.ask(f"GET /drinks/{name} HTTP/1.1\n{HOST}")
        answer.wants_status(status)
        if name == "chai":
            answer.wants_field("Location", "/drinks/tea")
        if name == "coffee":
            answer.wants_field("Retry-After", "120")


def check_shortener(task: Task) -> None:
    """Lesson 8: 301, Location, and what is refused."""
    task.step("A code that nobody has stored is answered with 404.")
    task.ask(f"GET /nothing HTTP/1.1\n{HOST}").wants_status(404)
    task.step("/rfc is answered with 301, and Location has the address.")
    answer = task.ask(f"GET /rfc HTTP/1.1\n{HOST}")
    answer.wants_status(301)
    answer.wants_field("Location", "https://www.rfc-editor.org/rfc/rfc9110.html")
    task.step("A new address is answered with 201, and Location has the short one.")
    answer = task.ask(form("/", "url=https%3A%2F%2Fwww.ietf.org%2F"))
    answer.wants_status(201)
    short = answer.wants_some("Location", "Location: the short address")
    task.step("The short address leads to the long one.")
    path = short.removeprefix("http://localhost:8000")
    answer = task.ask(f"GET {path} HTTP/1.1\n{HOST}")
    answer.wants_status(301)
    answer.wants_field("Location", "https://www.ietf.org/")
    task.step("What is no http or https is answered with 400.")
    task.ask(form("/", "url=javascript%3Aalert(1)")).wants_status(400)


def check_tweets(task: Task) -> None:
    """Lesson 9: what is refused, and where the limit is."""
    task.step("A good tweet is answered with 201 and Location: /tweets/1.")
    answer = task.ask(tweet({"author": "ann", "text": "Hello"}))
    answer.wants_status(201)
    answer.wants_field("Location", "/tweets/1")
    refused: list[tuple[str, dict[str, object]]] = [
        ("without text", {"author": "ann"}),
        ("without author", {"text": "Hello"}),
        ("with an empty text", {"author": "ann", "text": ""}),
        ("whose text is a number", {"author": "ann", "text": 1}),
        ("of 141 characters", {"author": "ann", "text": "x" * 141}),
    ]
    for what, wrong in refused:
        task.step(f"A tweet {what} is answered with 400.")
        task.ask(tweet(wrong)).wants_status(400)
    task.step("A tweet of 140 characters, 280 bytes, is good, and the second one stored.")
    answer = task.ask(tweet({"author": "ann", "text": "é" * 140}))
    answer.wants_status(201)
    answer.wants_field("Location", "/tweets/2")


def check_files(task: Task) -> None:
    """Lesson 10: validators, ranges, and the edge of the folder."""
    task.step("The file is sent, with an ETag.")
    answer = task.ask(f"GET /files/poem.txt HTTP/1.1\n{HOST}")
    answer.wants_status(200)
    answer.wants_content(b"Rain on the roof.\n")
    etag = answer.wants_some("ETag", 'one, such as ETag: "1"')
    task.step("Who has it already gets 304 and no content.")
    answer = task.ask(f"GET /files/poem.txt HTTP/1.1\n{HOST}\nIf-None-Match: {etag}")
    answer.wants_status(304)
    task.step("Who has another version gets the file.")
    answer = task.ask(f'GET /files/poem.txt HTTP/1.1\n{HOST}\nIf-None-Match: "other"')
    answer.wants_status(200)
    task.step("Range gets a part, and Content-Range says which.")
    answer = task.ask(f"GET /files/poem.txt HTTP/1.1\n{HOST}\nRange: bytes=8-10")
    answer.wants_status(206)
    answer.wants_field("Content-Range", "bytes 8-10/18")
    answer.wants_content(b"the")
    task.step("A file that is not there is answered with 404.")
    task.ask(f"GET /files/none.txt HTTP/1.1\n{HOST}").wants_status(404)
    task.step("So is a path that leads out of the folder.")
    task.ask(f"GET /files/..%2Fmy_files.py HTTP/1.1\n{HOST}").wants_status(404)


def check_database_page(task: Task) -> None:
    """Lesson 11: parameters and escaping."""
    task.step("O'Brien can sign.")
    task.ask(form("/", "name=O'Brien")).wants_status(201, 303)
    task.step("A name with signs of HTML can sign too.")
    task.ask(form("/", "name=%3Cscript%3Ealert(1)%3C%2Fscript%3E")).wants_status(201, 303)
    task.step("The page shows it as text, not as a script.")
    answer = task.ask(f"GET / HTTP/1.1\n{HOST}")
    answer.wants_status(200)
    answer.wants_in_content("&lt;script&gt;alert(1)&lt;/script&gt;", without="<script>alert(1)")
    task.step("What would be SQL is a name as well.")
    task.ask(form("/", "name=x')%3B+DROP+TABLE+guests%3B--")).wants_status(201, 303)
    answer = task.ask(f"GET / HTTP/1.1\n{HOST}")
    answer.wants_status(200)
    answer.wants_in_content("DROP TABLE guests")


def check_other_api(task: Task) -> None:
    """Lesson 12: the other server's failures."""
    task.step("/Oslo is answered with what the weather service says.")
    answer = task.ask(f"GET /Oslo HTTP/1.1\n{HOST}")
    answer.wants_status(200)
    answer.wants_content(b"-3 degrees")
    for city, status in (("Paris", 404), ("Babel", 502), ("Atlantis", 504)):
        task.step(f"/{city} is answered with {status}.")
        task.ask(f"GET /{city} HTTP/1.1\n{HOST}").wants_status(status)


def check_streams(task: Task) -> None:
    """Lesson 13: chunks as they come."""
    task.step("The answer has Transfer-Encoding: chunked and no Content-Length.")
    answer = task.ask(f"GET /dinner HTTP/1.1\n{HOST}")
    answer.wants_status(200)
    answer.wants_no("Content-Length")
    answer.wants_field("Transfer-Encoding", "chunked")
    task.step("Each line is a chunk.")
    answer.wants_chunks([b"washed\n", b"cut\n", b"cooked\n"])
    task.step("A client of HTTP/1.0, which knows no chunks, gets the lines.")
    answer = task.ask("GET /dinner HTTP/1.0")
    answer.wants_no("Transfer-Encoding")
    answer.wants_content(b"washed\ncut\ncooked\n")


def check_kept_alive(task: Task) -> None:
    """Lesson 14: persistence in both versions, and pipelining."""
    request, last = f"GET / HTTP/1.1\n{HOST}", f"GET / HTTP/1.1\n{CLOSE}"
    task.step("A connection of HTTP/1.1 is kept.")
    answers = task.converse([request, request], closes=False)
    answers[1].wants_status(200)
    answers[0].wants_no("Connection")
    task.step("Connection: close ends it, and the answer says so.")
    answers = task.converse([request, last], closes=True)
    answers[1].wants_member("Connection", "close")
    task.step("The names of options mean the same in capital letters.")
    task.converse([f"GET / HTTP/1.1\n{HOST}\nCONNECTION: Close"], closes=True)
    task.step("A connection of HTTP/1.0 is closed.")
    (answer,) = task.converse(["GET / HTTP/1.0"], closes=True)
    answer.wants_member("Connection", "close")
    task.step("HTTP/1.0 with Connection: keep-alive is kept, and the answer says so.")
    old = "GET / HTTP/1.0\nConnection: keep-alive"
    answers = task.converse([old, old], closes=False)
    answers[1].wants_member("Connection", "keep-alive")
    task.step("Three requests that come at once are answered one after the other.")
    answers = task.converse([request, request, last], at_once=True, closes=True)
    for answer in answers:
        answer.wants_status(200)
        answer.wants_content(b"Hello, World!")


def form(path: str, content: str) -> str:
    """Return a request that sends a form."""
    head = f"POST {path} HTTP/1.1\n{HOST}\nContent-Type: application/x-www-form-urlencoded"
    return f"{head}\nContent-Length: {len(content)}\n\n{content}"


def tweet(content: dict[str, object]) -> str:
    """Return a request that sends a tweet."""
    text = json.dumps(content, ensure_ascii=False)
    head = f"POST /tweets HTTP/1.1\n{HOST}\nContent-Type: application/json"
    return f"{head}\nContent-Length: {len(text.encode())}\n\n{text}"


CHECKS: Final[tuple[Callable[[Task], None], ...]] = (
    check_raw_request,
    check_split_request,
    check_registry,
    check_request_headers,
    check_response_headers,
    check_methods,
    check_statuses,
    check_shortener,
    check_tweets,
    check_files,
    check_database_page,
    check_other_api,
    check_streams,
    check_kept_alive,
)
"""In the order of the lessons."""
