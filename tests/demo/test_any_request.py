"""Whatever a client sends: never a 500, and a refusal that says what it is."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundwire import Groundwire

PATHS = st.one_of(
    st.sampled_from(
        ["/", "/tweets", "/tweets/1", "/tweets/1/delete", "/shorten", "/hello", "/headers", "/r/x"]
    ),
    st.integers().map(lambda number: f"/tweets/{number}"),
    st.text(st.characters(exclude_categories=["Cs"])).map(lambda code: f"/r/{code}"),
    st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: f"/tweets?before={text}"),
)
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
ACCEPTS = st.sampled_from(
    ["", "*/*", "text/html", "application/json", "image/png", "text/html;q=0, */*;q=x", ";;,,q="]
)
TYPES = st.sampled_from(
    [
        "",
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/json; charset=utf-16",
        ";=",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
FIELDS = st.fixed_dictionaries({}, optional=dict.fromkeys(("author", "text", "url"), VALUES))
CONTENTS = st.one_of(
    st.binary(max_size=300),
    VALUES.map(lambda value: json.dumps(value).encode()),
    FIELDS.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=300).map(lambda value: b"author=a&text=" + value),
    st.text().map(lambda value: b'{"url": "http://' + json.dumps(value).encode()[1:] + b"}"),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(METHODS, PATHS, ACCEPTS, TYPES, CONTENTS)
def test_no_request_is_answered_with_a_failure(
    client: Any, method: str, path: str, accept: str, content_type: str, content: bytes
) -> None:
    headers = {"Accept": accept, "Content-Type": content_type}

    response = client.open(path, method=method, headers=headers, data=content)

    assert response.status_code < 500
    if response.status_code >= 400 and method != "HEAD":
        kind = response.headers["Content-Type"]
        assert kind in ("application/problem+json", "text/html; charset=utf-8")
        if kind == "application/problem+json":
            assert response.status_code == json.loads(response.data)["status"]


@pytest.mark.parametrize("path", ["/tweets", "/shorten"])
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=FIELDS)
def test_what_is_stored_is_what_was_sent(
    app: Groundwire, client: Any, path: str, content: dict[str, Any]
) -> None:
    response = client.post(path, json=content)

    if response.status_code != 201:
        assert 400 == response.status_code
        assert set(response.json["errors"]) <= {"author", "text", "url"}
    elif path == "/tweets":
        stored = client.get(response.headers["Location"]).json
        assert (content["author"], content["text"]) == (stored["author"], stored["text"])
    else:
        link = app.extensions["database"].shorten(content["url"].strip())
        assert response.json["short_url"].endswith(f"/r/{link.code}")
