"""What converters match, give to a view, and put into a URL."""

import uuid
from typing import Any

import pytest
import werkzeug.routing as oracle

from groundwire.app import routing
from groundwire.app.routing import BaseConverter, BuildError, Map, Rule
from groundwire.http.errors import HTTPException, NotFound

IDENTIFIER = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"


def value_of(rule: str, path: str) -> Any:
    """The value of the rule's variable for `path`; NotFound where it does not match."""
    try:
        _, values = Map([Rule(rule, endpoint="e")]).bind("h").match(path)
    except NotFound:
        return NotFound
    return next(iter(values.values()))


def url_of(rule: str, value: Any) -> str:
    return Map([Rule(rule, endpoint="e")]).bind("h").build("e", {"v": value})


@pytest.mark.parametrize(
    ("rule", "path", "value"),
    [
        ("/<v>", "/a b", "a b"),
        ("/<v>", "/a/b", NotFound),
        ("/<string:v>", "/é", "é"),
        ("/<string(length=2):v>", "/ab", "ab"),
        ("/<string(length=2):v>", "/abc", NotFound),
        ("/<string(minlength=2):v>", "/a", NotFound),
        ("/<string(2, 3):v>", "/abcd", NotFound),
        ("/<string(2, 3):v>", "/abc", "abc"),
        ("/<int:v>", "/007", 7),
        ("/<int:v>", "/-7", NotFound),
        ("/<int:v>", "/7.0", NotFound),
        ("/<int:v>", "/٣", 3),
        ("/<int:v>", "/²", NotFound),
        ("/<int:v>", "/" + "9" * 5000, NotFound),
        ("/<int(signed=True):v>", "/-7", -7),
        ("/<int(signed=True):v>", "/" + "9" * 5000, NotFound),
        ("/<int(fixed_digits=3):v>", "/007", 7),
        ("/<int(fixed_digits=3):v>", "/7", NotFound),
        ("/<int(min=3, max=5):v>", "/2", NotFound),
        ("/<int(min=3, max=5):v>", "/3", 3),
        ("/<int(min=3, max=5):v>", "/6", NotFound),
        ("/<int(min=-3, signed=True):v>", "/-3", -3),
        ("/<int(min=3):v>", "/" + "9" * 5000, NotFound),
        ("/<float:v>", "/1.5", 1.5),
        ("/<float:v>", "/15", NotFound),
        ("/<float(signed=True, max=2.5):v>", "/-1.5", -1.5),
        ("/<float(max=2.5):v>", "/2.6", NotFound),
        ("/<any(a, 'b c', 3):v>", "/b c", "b c"),
        ("/<any(a, 'b c', 3):v>", "/3", "3"),
        ("/<any(a, 'b c', 3):v>", "/d", NotFound),
        ("/<any('a.b'):v>", "/axb", NotFound),
        ("/<uuid:v>", f"/{IDENTIFIER}", uuid.UUID(IDENTIFIER)),
        ("/<uuid:v>", f"/{IDENTIFIER}0", NotFound),
        ("/<path:v>", "/a/b/c", "a/b/c"),
        ("/<path:v>", "/", NotFound),
        ("/<path:v>", "/a\nb", NotFound),
        ("/<path:v>/edit", "/a/edit/edit", "a/edit"),
    ],
)
def test_a_variable_matches_and_becomes_a_value(rule: str, path: str, value: Any) -> None:
    assert value == value_of(rule, path)


@pytest.mark.parametrize(
    ("rule", "value", "url"),
    [
        ("/<v>", "a b/ü?#%", "/a%20b/%C3%BC%3F%23%25"),
        ("/<v>", "!$&'()*+,:;=@-._~", "/!$&'()*+,:;=@-._~"),
        ("/<v>", 3, "/3"),
        ("/<int:v>", "7", "/7"),
        ("/<int(fixed_digits=3):v>", 7, "/007"),
        ("/<float:v>", 1, "/1.0"),
        ("/<any(a, b):v>", "a", "/a"),
        ("/<uuid:v>", uuid.UUID(IDENTIFIER), f"/{IDENTIFIER}"),
        ("/<path:v>", "a/b", "/a/b"),
    ],
)
def test_a_value_becomes_part_of_a_url(rule: str, value: Any, url: str) -> None:
    assert url == url_of(rule, value)


def test_a_value_that_is_none_of_any_is_refused() -> None:
    with pytest.raises(ValueError, match="'c' is not one of 'a', 'b'"):
        url_of("/<any(b, a):v>", "c")


def test_a_value_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        url_of("/<int:v>", "x")


def test_a_converter_of_ones_own_converts_both_ways() -> None:
    class ListConverter(BaseConverter):
        def to_python(self, value: str) -> list[str]:
            return value.split("+")

        def to_url(self, value: Any) -> str:
            return "+".join(super(ListConverter, self).to_url(item) for item in value)

    adapter = Map([Rule("/<list:v>", endpoint="e")], converters={"list": ListConverter}).bind("h")

    assert ("e", {"v": ["a", "b"]}) == adapter.match("/a+b")
    assert "/a+b%20c" == adapter.build("e", {"v": ["a", "b c"]})


def test_a_converter_gets_the_map_and_the_arguments_of_the_rule() -> None:
    seen: list[Any] = []

    class Curious(BaseConverter):
        def __init__(self, map: Any, *args: Any, **kwargs: Any) -> None:
            super().__init__(map)
            seen.extend([self.map, args, kwargs])

    rules = Map(converters={"curious": Curious})
    rules.add(Rule("/<curious(1, x, key='v'):v>", endpoint="e"))

    assert [rules, (1, "x"), {"key": "v"}] == seen


def test_a_value_that_to_python_refuses_is_not_found() -> None:
    class Even(routing.IntegerConverter):
        def to_python(self, value: str) -> int:
            number: int = super().to_python(value)
            if number % 2:
                raise routing.ValidationError
            return number

    adapter = Map([Rule("/<even:v>", endpoint="e")], converters={"even": Even}).bind("h")

    assert ("e", {"v": 4}) == adapter.match("/4")
    with pytest.raises(NotFound):
        adapter.match("/3")


def test_another_error_of_to_python_is_the_programs_own() -> None:
    class Broken(BaseConverter):
        def to_python(self, value: str) -> Any:
            raise ValueError(value)

    adapter = Map([Rule("/<broken:v>", endpoint="e")], converters={"broken": Broken}).bind("h")

    with pytest.raises(ValueError, match="x"):
        adapter.match("/x")


def test_to_python_may_be_set_on_one_converter() -> None:
    class Late(BaseConverter):
        def __init__(self, map: Any) -> None:
            super().__init__(map)
            self.to_python = str.upper  # type: ignore[method-assign]

    adapter = Map([Rule("/<late:v>", endpoint="e")], converters={"late": Late}).bind("h")

    assert ("e", {"v": "X"}) == adapter.match("/x")


@pytest.mark.parametrize("library", [routing, oracle])
def test_a_regex_with_a_slash_crosses_segments_by_itself(library: Any) -> None:
    class Dated(library.BaseConverter):  # type: ignore[name-defined,misc]
        regex = r"\d{4}/\d{2}"

    class Within(library.BaseConverter):  # type: ignore[name-defined,misc]
        regex = r"\d{4}/\d{2}"
        part_isolating = True

    assert Dated.part_isolating is False
    assert Within.part_isolating is True
    adapter = library.Map(
        [library.Rule("/<dated:v>/x", endpoint="e")], converters={"dated": Dated}
    ).bind("h")
    assert ("e", {"v": "2024/05"}) == adapter.match("/2024/05/x")


@pytest.mark.parametrize("library", [routing, oracle])
def test_weight_decides_which_converter_is_tried_first(library: Any) -> None:
    class Early(library.BaseConverter):  # type: ignore[name-defined,misc]
        weight = 1

    class Late(library.BaseConverter):  # type: ignore[name-defined,misc]
        weight = 300

    rules = [
        library.Rule(f"/<{name}:v>", endpoint=name) for name in ["late", "string", "int", "early"]
    ]
    converters = {"early": Early, "late": Late}

    assert "early" == library.Map(rules, converters=converters).bind("h").match("/1")[0]


def test_a_regex_of_ones_own_never_sees_a_long_text() -> None:
    class Evil(BaseConverter):
        regex = "(a|aa)+"

    class Given(BaseConverter):
        def __init__(self, map: Any, regex: str) -> None:
            super().__init__(map)
            self.regex = regex

    adapter = Map(
        [
            Rule("/<evil:v>", endpoint="e"),
            Rule("/x/<given('(a|aa)+'):v>", endpoint="g"),
            Rule("/y/<evil:v>-<evil:w>-<evil:x>", endpoint="h"),
        ],
        converters={"evil": Evil, "given": Given},
    ).bind("h")

    assert "e" == adapter.match("/" + "a" * 1024)[0]
    for path in ["/" + "a" * 1025, "/x/" + "a" * 1025, "/y/a-a-" + "a" * 300]:
        with pytest.raises(NotFound):
            adapter.match(path)


def test_a_subclass_that_keeps_the_regex_takes_texts_of_any_length() -> None:
    class Shout(routing.UnicodeConverter):
        def to_python(self, value: str) -> str:
            return value.upper()

    adapter = Map([Rule("/<shout:v>", endpoint="e")], converters={"shout": Shout}).bind("h")

    assert ("e", {"v": "A" * 4000}) == adapter.match("/" + "a" * 4000)


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("/<path:a>/x/<path:b>/y", "/" + "/x" * 2000),
        ("/<path:a>/<path:b>/<path:c>/y", "/" + "a/" * 4000),
        ("/<path:a><int:b>", "/" + "1" * 8000 + "x"),
        ("/<a><int:b>x", "/" + "1" * 8000),
        ("/<a>-<b>-x", "/" + "-" * 8000),
        ("/<a>-<b>-<c>-<d>-x", "/" + "-" * 8000),
        ("/<path:p>-<a>/x", "/" + "-" * 8000),
        ("/<a>1<int:b>", "/" + "1" * 8000 + "x"),
        ("/<int:a><int:b>", "/" + "1" * 8000 + "x"),
        ("/<path:p>/<int:a>1<int:b>", "/1" * 4000 + "x"),
        ("/<path:p>/s", "/" + "a/" * 4000),
        ("/<path:p>/<a>/<b>/s", "/" + "a/" * 4000),
    ],
)
def test_no_path_makes_a_rule_search_for_long(rule: str, path: str) -> None:
    # pytest's own time-out would speak before this does: the cases are of quadratic and cubic cost unbounded.
    with pytest.raises(HTTPException):
        Map([Rule(rule, endpoint="e", strict_slashes=False)]).bind("h").match(path)


def test_a_value_that_its_converter_refuses_builds_nothing() -> None:
    class Picky(BaseConverter):
        def to_url(self, value: Any) -> str:
            raise routing.ValidationError(value)

    adapter = Map([Rule("/<picky:v>", endpoint="e")], converters={"picky": Picky}).bind("h")

    with pytest.raises(BuildError):
        adapter.build("e", {"v": 1})
