import html
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sql

from groundwire.demo.schema import tweets
from groundwire.demo.tweets import LISTED

HELLO = {"author": "ann", "text": "Hello"}


def post(client: Any, **fields: Any) -> Any:
    return client.post("/tweets", json=HELLO | fields)


# The list


def test_a_new_list_is_empty(client: Any, browser: Any) -> None:
    assert [] == client.get("/tweets").json
    assert "No tweets yet" in browser.get("/tweets").text


def test_the_list_begins_with_the_newest(client: Any) -> None:
    for text in ("first", "second", "third"):
        post(client, text=text)

    assert ["third", "second", "first"] == [tweet["text"] for tweet in client.get("/tweets").json]


def test_a_long_list_comes_in_pieces(app: Any, client: Any, browser: Any) -> None:
    with app.extensions["database"].engine.begin() as connection:
        now = datetime(2026, 1, 1)
        rows = [{"author": "ann", "text": str(n), "created_at": now} for n in range(2 * LISTED + 1)]
        connection.execute(sql.insert(tweets), rows)

    seen: list[int] = []
    link = '</tweets>; rel="next"'
    lengths = []
    while link:
        response = client.get(link[1 : link.index(">")])
        lengths.append(len(response.json))
        seen += [tweet["id"] for tweet in response.json]
        link = response.headers.get("Link")

    assert [LISTED, LISTED, 1] == lengths
    assert list(range(2 * LISTED + 1, 0, -1)) == seen
    assert f'<a href="/tweets?before={LISTED + 2}" rel="next">' in browser.get("/tweets").text


@pytest.mark.parametrize("before", ["", "x", "0", "-5", "9" * 30, "9" * 5000])
def test_a_piece_before_any_number_is_no_error(client: Any, before: str) -> None:
    assert 200 == client.get(f"/tweets?before={before}").status_code


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "text/html; charset=utf-8"),
        ("text/html,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ("text/html;q=0.5, application/json", "application/json"),
    ],
)
def test_the_same_url_has_html_and_json(client: Any, accept: str, content_type: str) -> None:
    post(client)

    for path in ("/tweets", "/tweets/1"):
        response = client.get(path, headers={"Accept": accept})
        assert (200, content_type) == (response.status_code, response.headers["Content-Type"])
        assert "Accept" in response.vary


# A new tweet


def test_a_tweet_as_json_is_created(client: Any) -> None:
    response = post(client)

    assert (201, "/tweets/1") == (response.status_code, response.headers["Location"])
    assert response.json == HELLO | {
        "id": 1,
        "url": "/tweets/1",
        "created_at": response.json["created_at"],
    }
    assert response.json == client.get(response.headers["Location"]).json


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart"])
def test_a_tweet_as_form_is_created(client: Any, content_type: str) -> None:
    if content_type == "multipart":
        content = "".join(
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in HELLO.items()
        )
        response = client.post(
            "/tweets",
            data=f"{content}--x--\r\n",
            content_type="multipart/form-data; boundary=x",
        )
    else:
        response = client.post("/tweets", data=HELLO)

    assert (201, "/tweets/1") == (response.status_code, response.headers["Location"])
    assert "Hello" == client.get("/tweets/1").json["text"]


def test_a_browser_gets_the_page_with_its_tweet(browser: Any) -> None:
    response = browser.post("/tweets", data=HELLO)

    assert (201, "/tweets/1") == (response.status_code, response.headers["Location"])
    assert "Your tweet is stored" in response.text
    assert "Hello" in response.text


WRONG = [
    ({"text": "Hello"}, "author", "is missing"),
    ({"author": "ann"}, "text", "is missing"),
    ({"author": "", "text": "Hello"}, "author", "must not be empty"),
    ({"author": "ann", "text": " \n\t"}, "text", "must not be empty"),
    (
        {"author": "ann", "text": "x" * 141},
        "text",
        "has 141 characters; at most 140 are allowed",
    ),
    (
        {"author": "a" * 51, "text": "Hello"},
        "author",
        "has 51 characters; at most 50 are allowed",
    ),
]


@pytest.mark.parametrize(("fields", "field", "message"), WRONG)
@pytest.mark.parametrize("way", ["json", "data"])
def test_a_wrong_field_is_named(
    client: Any, way: str, fields: dict[str, str], field: str, message: str
) -> None:
    response = client.post("/tweets", **{way: fields})

    assert (400, "application/problem+json") == (
        response.status_code,
        response.headers["Content-Type"],
    )
    assert {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": f"The field '{field}' {message}.",
        "errors": {field: message},
    } == response.json
    assert [] == client.get("/tweets").json


@pytest.mark.parametrize(("fields", "field", "message"), WRONG)
def test_a_browser_gets_the_form_again_with_the_message_and_what_was_written(
    browser: Any, fields: dict[str, str], field: str, message: str
) -> None:
    response = browser.post("/tweets", data=fields)

    assert 400 == response.status_code
    assert message in response.text
    assert f'id="{field}-error"' in response.text
    for value in fields.values():
        assert value in response.text


def test_everything_that_is_wrong_is_said_at_once(client: Any) -> None:
    response = client.post("/tweets", json={})

    assert {"author": "is missing", "text": "is missing"} == response.json["errors"]


@pytest.mark.parametrize("character", ["x", "é", "中", "🦆", "\U0010ffff"])
@pytest.mark.parametrize("way", ["json", "data"])
def test_a_character_is_a_code_point(client: Any, way: str, character: str) -> None:
    assert 201 == client.post("/tweets", **{way: HELLO | {"text": character * 140}}).status_code
    assert 400 == client.post("/tweets", **{way: HELLO | {"text": character * 141}}).status_code
    assert character * 140 == client.get("/tweets/1").json["text"]


def test_a_line_break_of_a_form_is_one_character(client: Any) -> None:
    assert 201 == client.post("/tweets", data=HELLO | {"text": "x\r\n" * 70}).status_code

    assert "x\n" * 70 == client.get("/tweets/1").json["text"]


@pytest.mark.parametrize("value", [1, True, None, ["Hello"], {"a": "b"}, 1e300])
def test_a_value_that_is_no_text_is_refused(client: Any, value: Any) -> None:
    response = post(client, text=value)

    assert (400, {"text": "must be text"}) == (response.status_code, response.json["errors"])


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "\udfff!"])
def test_text_that_cannot_be_stored_is_refused(client: Any, text: str) -> None:
    response = post(client, text=text)

    assert 400 == response.status_code
    assert {"text": "has characters that cannot be stored"} == response.json["errors"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b'{"author": "ann", "text": "\xff"}',
        b"[" * 50_000,
        b"1" * 5000,
    ],
    ids=lambda content: content[:10].decode("latin-1") or "nothing",
)
def test_content_that_is_no_json_object_is_refused(client: Any, content: bytes) -> None:
    response = client.post("/tweets", data=content, content_type="application/json")

    assert (400, "application/problem+json") == (
        response.status_code,
        response.headers["Content-Type"],
    )
    assert "JSON object" in response.json["detail"]


def test_a_form_of_invalid_utf_8_is_stored_as_it_was_written(client: Any) -> None:
    client.post(
        "/tweets", data=b"author=ann&text=%ff", content_type="application/x-www-form-urlencoded"
    )

    assert "%FF" == client.get("/tweets/1").json["text"]


def test_json_that_is_not_called_json_is_refused(client: Any) -> None:
    response = client.post(
        "/tweets", data=b'{"author": "ann", "text": "Hello"}', content_type="text/plain"
    )

    assert 415 == response.status_code
    assert [] == client.get("/tweets").json


def test_content_without_a_type_lacks_the_fields(client: Any) -> None:
    response = client.post("/tweets", data=b'{"author": "ann", "text": "Hello"}')

    assert (400, {"author", "text"}) == (response.status_code, set(response.json["errors"]))


def test_markup_is_shown_as_text(browser: Any) -> None:
    text = "<script>alert('1')</script>&amp;"
    browser.post("/tweets", data={"author": '"><img src=x>', "text": text})

    for path in ("/tweets", "/tweets/1"):
        page = browser.get(path).text
        assert "<script" not in page
        assert "<img" not in page
        assert text in html.unescape(page)


# One tweet


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/tweets/1",
        "/tweets/0",
        f"/tweets/{2**31 - 1}",
        f"/tweets/{2**31}",
        f"/tweets/{2**63}",
        f"/tweets/{2**64}",
        "/tweets/" + "9" * 4000,
        "/tweets/-1",
        "/tweets/one",
        "/tweets/1/",
    ],
    ids=lambda path: path[:24],
)
def test_a_tweet_that_is_not_there_is_not_found(client: Any, method: str, path: str) -> None:
    content = {} if method in ("GET", "HEAD", "DELETE") else {"json": HELLO}

    response = client.open(path, method=method, **content)

    assert 404 == response.status_code
    assert "application/problem+json" == response.headers["Content-Type"]


def test_put_replaces_a_tweet(client: Any) -> None:
    created = post(client).json

    response = client.put("/tweets/1", json={"author": "bob", "text": "Changed"})

    assert (200, created | {"author": "bob", "text": "Changed"}) == (
        response.status_code,
        response.json,
    )
    assert response.json == client.get("/tweets/1").json


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"author": "bob"}, "text"), ({"text": "Changed"}, "author"), ({}, "text")],
)
def test_put_needs_every_field(client: Any, fields: dict[str, str], field: str) -> None:
    created = post(client).json

    response = client.put("/tweets/1", json=fields)

    assert (400, "is missing") == (response.status_code, response.json["errors"][field])
    assert created == client.get("/tweets/1").json


@pytest.mark.parametrize(
    "fields", [{"author": "bob"}, {"text": "Changed"}, {"author": "bob", "text": "Changed"}]
)
def test_patch_changes_what_is_sent(client: Any, fields: dict[str, str]) -> None:
    created = post(client).json

    response = client.patch("/tweets/1", json=fields)

    assert (200, created | fields) == (response.status_code, response.json)
    assert response.json == client.get("/tweets/1").json


@pytest.mark.parametrize("fields", [{}, {"text": ""}, {"text": "x" * 141}, {"id": 7}])
def test_patch_with_nothing_or_something_wrong_changes_nothing(client: Any, fields: Any) -> None:
    created = post(client).json

    response = client.patch("/tweets/1", json=fields)

    assert (400, True) == (response.status_code, "text" in response.json["errors"])
    assert created == client.get("/tweets/1").json


def test_nothing_but_the_fields_can_be_changed(client: Any) -> None:
    created = post(client).json

    response = client.patch("/tweets/1", json={"text": "Changed", "id": 7, "created_at": "never"})

    assert created | {"text": "Changed"} == response.json


def test_delete_leaves_nothing(client: Any) -> None:
    post(client)

    response = client.delete("/tweets/1")

    assert (204, b"") == (response.status_code, response.data)
    assert "Content-Length" not in response.headers
    assert [404, 404] == [
        client.get("/tweets/1").status_code,
        client.delete("/tweets/1").status_code,
    ]


def test_the_number_of_a_deleted_tweet_is_not_given_again(client: Any) -> None:
    post(client)
    client.delete("/tweets/1")

    assert "/tweets/2" == post(client).headers["Location"]


def test_head_has_the_headers_of_get(client: Any) -> None:
    post(client)

    for path in ("/tweets", "/tweets/1"):
        got, head = client.get(path), client.head(path)
        assert (200, b"") == (head.status_code, head.data)
        without_date = [
            [(name, value) for name, value in response.headers if name != "Date"]
            for response in (got, head)
        ]
        assert without_date[0] == without_date[1]


def test_options_lists_the_methods(client: Any) -> None:
    assert {"GET", "HEAD", "OPTIONS", "POST"} == set(client.options("/tweets").allow)
    assert {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"} == set(
        client.options("/tweets/1").allow
    )


def test_another_method_is_refused_with_those_that_are_possible(client: Any) -> None:
    response = client.post("/tweets/1")

    assert 405 == response.status_code
    assert {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"} == set(response.allow)


def test_a_page_deletes_by_a_form(browser: Any) -> None:
    browser.post("/tweets", data=HELLO)

    response = browser.post("/tweets/1/delete")

    assert (303, "/tweets?deleted=1") == (response.status_code, response.headers["Location"])
    page = browser.get(response.headers["Location"]).text
    assert "Tweet 1 is deleted." in page
    assert "No tweets yet" in page
    assert 404 == browser.post("/tweets/1/delete").status_code


def test_what_is_said_to_be_deleted_is_a_number(browser: Any) -> None:
    assert "deleted" not in browser.get("/tweets?deleted=<b>all</b>").text
