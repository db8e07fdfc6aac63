"""JSON as Flask writes it."""

import io
import json as standard
from datetime import date
from typing import Any

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetching import fetch, make_app
from groundwire import Groundwire, jsonify, request
from groundwire.app import json
from groundwire.app.json_provider import DefaultJSONProvider, JSONProvider, compact_encoder

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.dates()
    | st.uuids()
    | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)

FLASK = flask.Flask("flask", static_folder=None, root_path="/")
OURS = make_app()


@given(VALUES)
def test_responses_are_byte_for_byte_flasks(value: Any) -> None:
    with FLASK.app_context():
        expected = flask.jsonify(value).data
    with OURS.app_context():
        assert expected == jsonify(value).data


@given(VALUES)
def test_dumps_is_byte_for_byte_flasks(value: Any) -> None:
    assert FLASK.json.dumps(value) == OURS.json.dumps(value)
    assert flask.json.dumps(value) == json.dumps(value)


def test_module_functions_use_the_current_app() -> None:
    class Shouting(DefaultJSONProvider):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return super().dumps(obj, **kwargs).upper()

        def loads(self, s: str | bytes, **kwargs: Any) -> Any:
            return super().loads(s.lower(), **kwargs)

    app = make_app()
    app.json = Shouting(app)
    file = io.StringIO()

    with app.app_context():
        assert '{"A":"B"}' == json.dumps({"a": "b"}, separators=(",", ":"))
        json.dump("x", file)
        assert ("x", "x") == (json.loads('"X"'), json.load(io.StringIO('"X"')))
        assert b'{"A":1}\n' == jsonify(a=1).data
    json.dump(date(2024, 1, 1), file)

    assert '"X""Mon, 01 Jan 2024 00:00:00 GMT"' == file.getvalue()
    assert ("X", "X") == (json.loads('"X"'), json.load(io.StringIO('"X"')))


def test_what_json_does_not_know_is_an_error() -> None:
    with pytest.raises(TypeError, match="Object of type object is not JSON serializable"):
        json.dumps(object())
    with OURS.app_context(), pytest.raises(TypeError, match="either args or kwargs, not both"):
        jsonify(1, a=1)


def test_responses_are_made_by_the_current_app() -> None:
    with pytest.raises(RuntimeError, match="Working outside of application context"):
        jsonify(1)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("compact", [None, True, False])
def test_responses_are_indented_when_flasks_are(debug: bool, compact: bool | None) -> None:
    ours, theirs = make_app(), flask.Flask("flask", static_folder=None, root_path="/")
    for app in (ours, theirs):
        app.debug = debug
        app.json.compact = compact
        app.json.mimetype = "application/vnd.api+json"

    with theirs.app_context(), ours.app_context():
        expected, got = flask.jsonify(b=[1, {}], a=None), jsonify(b=[1, {}], a=None)

    assert (expected.data, expected.content_type) == (got.data, got.content_type)


def test_provider_of_ones_own_must_define_both_directions() -> None:
    provider = JSONProvider(OURS)

    with pytest.raises(NotImplementedError, match="JSONProvider has to define 'dumps'"):
        provider.dumps(1)
    with pytest.raises(NotImplementedError, match="JSONProvider has to define 'loads'"):
        provider.loads("1")


def test_provider_of_ones_own_answers() -> None:
    class Plain(JSONProvider):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return standard.dumps(obj)

        def loads(self, s: str | bytes, **kwargs: Any) -> Any:
            return {"read": standard.loads(s)}

    class App(Groundwire):
        json_provider_class = Plain

    app = App(__name__, static_folder=None)
    app.add_url_rule("/", "view", lambda: {"b": 1, "a": request.json}, methods=["POST"])

    answer = fetch(app, "/", "POST", content=b"[1]", Content_Type="application/json")

    assert b'{"b": 1, "a": {"read": [1]}}' == answer.content


def test_encoder_follows_changed_options() -> None:
    app = make_app()
    with app.app_context():
        assert b'{"a":"\\u00e9","b":1}\n' == jsonify({"b": 1, "a": "é"}).data
        app.json.ensure_ascii = False
        app.json.sort_keys = False
        assert '{"b":1,"a":"é"}\n'.encode() == jsonify({"b": 1, "a": "é"}).data


def test_a_method_set_on_a_provider_is_called() -> None:
    app = make_app()
    app.json.dumps = lambda obj, **kwargs: "dumped"
    app.json.loads = lambda s, **kwargs: "loaded"

    with app.app_context():
        assert b"dumped\n" == jsonify(1).data
        assert "loaded" == json.loads("1")


def test_a_provider_of_ones_own_prepares_what_it_answers_as_flasks_does() -> None:
    """The names are Flask's; programs that bring another JSON library are written with them."""

    class Compact(JSONProvider):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return standard.dumps(obj, separators=(",", ":"))

        def response(self, *args: Any, **kwargs: Any) -> Any:
            value = self._prepare_response_obj(args, kwargs)
            text = self.dumps({"value": value, "debug": self._app.debug})
            return self._app.response_class(text, mimetype="application/x")

    app = make_app()
    app.json = Compact(app)

    with app.app_context():
        assert '{"value":[1,2],"debug":false}' == jsonify(1, 2).get_data(as_text=True)
        assert '{"value":{"a":1},"debug":false}' == jsonify(a=1).get_data(as_text=True)
        assert '{"value":null,"debug":false}' == jsonify().get_data(as_text=True)
        assert "application/x" == jsonify().mimetype


def test_a_circle_is_an_error_that_says_so() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with OURS.app_context(), pytest.raises(ValueError, match="Circular reference"):
        jsonify(circle)


def test_where_the_standard_library_has_no_encoder_in_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standard.encoder, "c_make_encoder", None)

    assert '{"a":1,"b":["é"]}' == compact_encoder(str, False, True)({"b": ["é"], "a": 1})


TEXTS = (
    VALUES.map(lambda value: FLASK.json.dumps(value)) | st.text() | st.text('{}[]":,12.e-NaN\\u ')
)


@given(
    TEXTS,
    st.sampled_from(("", " ", "\n\t ", "\ufeff", "\x0b")),
    st.sampled_from(("", "\r\n", "x", "\x00", "\xa0")),
    st.sampled_from(("", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be", "latin-1")),
)
def test_loads_is_the_standard_librarys(text: str, before: str, after: str, coding: str) -> None:
    text = before + text + after
    data = text.encode(coding, "backslashreplace") if coding else text

    def outcome(loads: Any) -> Any:
        try:
            return repr(loads(data))
        except ValueError as error:
            return type(error), str(error)

    assert outcome(standard.loads) == outcome(OURS.json.loads)


def test_loads_takes_what_the_standard_library_takes() -> None:
    assert [1] == OURS.json.loads(bytearray(b" [1]"))  # type: ignore[arg-type]
    assert [1.5] == OURS.json.loads("[1.5]", parse_float=float)
    assert "\ud800" == OURS.json.loads(b'"\xed\xa0\x80"')
