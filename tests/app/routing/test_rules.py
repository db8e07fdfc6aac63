"""Rules, and the factories that make them."""

from typing import Any

import pytest
import werkzeug.routing as oracle

from groundwire.app import routing
from groundwire.app.routing import (
    EndpointPrefix,
    Map,
    Rule,
    RuleFactory,
    RuleTemplate,
    Subdomain,
    Submount,
)


def test_a_rule_begins_with_a_slash() -> None:
    with pytest.raises(ValueError, match="URL rule 'a' must start with a slash"):
        Rule("a")


def test_methods_are_a_list() -> None:
    with pytest.raises(TypeError, match="list of strings, not 'GET'"):
        Rule("/", methods="GET")


def test_get_brings_head_along() -> None:
    assert {"GET", "HEAD"} == Rule("/", methods=["get"]).methods
    assert {"POST"} == Rule("/", methods=["POST"]).methods
    assert Rule("/").methods is None


def test_a_websocket_rule_has_methods_of_a_handshake_only() -> None:
    assert {"GET", "HEAD"} == Rule("/", methods=["GET"], websocket=True).methods
    with pytest.raises(ValueError, match="WebSocket rules"):
        Rule("/", methods=["POST"], websocket=True)


def test_a_rule_knows_whether_it_is_leaf_or_branch() -> None:
    assert (True, False) == (Rule("/a").is_leaf, Rule("/a").is_branch)
    assert (False, True) == (Rule("/a/").is_leaf, Rule("/a/").is_branch)


def test_arguments_are_variables_and_defaults() -> None:
    rule = Rule("/<a>/<int:b>", defaults={"c": 1}, subdomain="<d>")
    Map([rule])

    assert {"a", "b", "c", "d"} == rule.arguments


def test_a_rule_is_bound_once() -> None:
    rule = Rule("/")
    Map([rule])

    with pytest.raises(RuntimeError, match="already bound"):
        Map([rule])


def test_an_empty_copy_can_be_bound_again() -> None:
    rule = Rule("/<a>", methods=["GET"], endpoint="e", defaults={"b": 1}, websocket=True)
    Map([rule])
    copy = rule.empty()
    other = Map([copy])

    assert copy is not rule
    assert rule == copy
    assert [copy] == list(other.iter_rules())
    for name in ["methods", "endpoint", "defaults", "websocket", "strict_slashes", "host"]:
        assert getattr(rule, name) == getattr(copy, name)


def test_a_subclass_says_what_its_copies_are_made_with() -> None:
    class Documented(Rule):
        def __init__(self, string: str, summary: str = "", **options: Any) -> None:
            super().__init__(string, **options)
            self.summary = summary

        def get_empty_kwargs(self) -> dict[str, Any]:
            return {**super().get_empty_kwargs(), "summary": self.summary}

    rules = Map([Submount("/v1", [Documented("/a", summary="lists", endpoint="a")])])
    rule = next(rules.iter_rules())

    assert isinstance(rule, Documented)
    assert ("/v1/a", "lists") == (rule.rule, rule.summary)


def test_settings_of_the_map_are_defaults_of_its_rules() -> None:
    rules = Map(strict_slashes=False, merge_slashes=False, default_subdomain="www")
    plain, own = Rule("/a"), Rule("/b", strict_slashes=True, merge_slashes=True, subdomain="")
    rules.add(plain)
    rules.add(own)

    assert (False, False, "www") == (plain.strict_slashes, plain.merge_slashes, plain.subdomain)
    assert (True, True, "") == (own.strict_slashes, own.merge_slashes, own.subdomain)


def test_an_unknown_converter_is_refused() -> None:
    with pytest.raises(LookupError, match="the converter 'date' does not exist"):
        Map([Rule("/<date:d>")])


def test_a_rule_may_choose_its_converters_itself() -> None:
    class Lenient(Rule):
        def get_converter(
            self, variable_name: str, converter_name: str, args: Any, kwargs: Any
        ) -> Any:
            return routing.UnicodeConverter(self.map)

    assert "x" == Map([Lenient("/<date:d>", endpoint="e")]).bind("h").match("/x")[1]["d"]


def test_rules_are_equal_when_they_read_alike() -> None:
    first, second, third = Rule("/<a>"), Rule("/<int:a>"), Rule("/<b>")
    Map([first, second, third])

    assert first == second
    assert first != third
    assert first != "/<a>"
    with pytest.raises(TypeError):
        hash(first)


@pytest.mark.parametrize(
    ("string", "options"),
    [
        ("/", {}),
        ("/a/<int:b>/", {"methods": ["PUT"]}),
        ("/<path:p>", {"subdomain": "<user>"}),
        ("/a//b", {"merge_slashes": False}),
    ],
)
def test_a_rule_is_shown_as_in_werkzeug(string: str, options: dict[str, Any]) -> None:
    ours = Rule(string, endpoint="e", **options)
    theirs = oracle.Rule(string, endpoint="e", **options)

    assert repr(theirs) == repr(ours) == "<Rule (unbound)>"
    Map([ours])
    oracle.Map([theirs])
    assert repr(theirs) == repr(ours)
    assert str(theirs) == str(ours)


def test_extensions_find_what_they_read() -> None:
    rule = Rule("/a/<int:b>", endpoint="e")
    theirs = oracle.Rule("/a/<int:b>", endpoint="e")
    Map([rule])
    oracle.Map([theirs])

    assert theirs._trace == rule._trace
    assert list(theirs._converters) == list(rule._converters)


@pytest.mark.parametrize(
    "rule", [Rule("/<a>/<int:a>"), Rule("/<a>-<a>"), Rule("/<a>", subdomain="<a>")]
)
def test_a_variable_named_twice_is_refused(rule: Rule) -> None:
    with pytest.raises(
        ValueError, match=r"variable name 'a' used twice in rule '/<a>.*give one another"
    ):
        Map([rule])


# --- changing a rule


def test_a_rule_changed_after_it_was_added_matches_as_it_is_now() -> None:
    rule, other = Rule("/a/", endpoint="a", methods=["GET"]), Rule("/b", endpoint="b")
    rules = Map([rule, other])
    adapter = rules.bind("h")
    changes: list[str] = []
    rules.on_change.append(lambda: changes.append("changed"))

    rule.strict_slashes = False
    assert "a" == adapter.match("/a")[0]
    rule.methods = ["PUT"]  # type: ignore[assignment]
    assert ["PUT"] == adapter.allowed_methods("/a/")
    assert ["PUT"] == list(rules.table.literal["/a/"])
    rule.methods.add("GET")
    assert {"GET", "PUT"} == set(rules.table.literal["/a/"])
    rule.methods.discard("PUT")
    rule.methods |= {"HEAD"}
    assert {"GET", "HEAD"} == set(rules.table.literal["/a/"])
    rule.endpoint = "c"
    assert "c" == adapter.match("/a/")[0]
    assert "/a/" == adapter.build("c")
    rule.redirect_to = "/b"
    assert "/a/" not in rules.table.literal
    assert adapter.test("/a/")
    rule.build_only = True
    assert not adapter.test("/a/")
    rule.alias = True
    assert len(changes) >= 9


def test_setting_what_does_not_matter_tells_nobody() -> None:
    rule = Rule("/", endpoint="e")
    rules = Map([rule])
    changes: list[str] = []
    rules.on_change.append(lambda: changes.append("changed"))

    rule.provide_automatic_options = True  # type: ignore[attr-defined]

    assert [] == changes


def test_a_refreshed_rule_has_its_new_path() -> None:
    rule = Rule("/a", endpoint="e")
    rules = Map([rule])

    rule.rule = "/b/<int:n>"
    rule.refresh()

    assert ("e", {"n": 1}) == rules.bind("h").match("/b/1")
    assert not rules.bind("h").test("/a")
    assert "/b/2" == rules.bind("h").build("e", {"n": 2})


# --- factories


def factories(library: Any) -> Any:
    rule = library.Rule
    return library.Map(
        [
            library.Submount("/blog/", [rule("/", endpoint="i"), rule("/<p>", endpoint="p")]),
            library.Subdomain("api", [rule("/", endpoint="a")]),
            library.EndpointPrefix("x.", [library.Submount("/x", [rule("/y", endpoint="y")])]),
            library.RuleTemplate(
                [
                    rule("/$name/", endpoint="$name.list"),
                    rule("/$name/$$", endpoint=3, defaults={"a": "$name", "b": 1}),
                    rule("/$name", endpoint="sub", subdomain="$name", methods=["PUT"]),
                ]
            )(name="user"),
        ]
    )


def test_factories_make_the_rules_that_werkzeug_makes() -> None:
    def rules(library: Any) -> list[Any]:
        return [
            (rule.rule, rule.endpoint, rule.subdomain, rule.defaults, rule.methods)
            for rule in factories(library).iter_rules()
        ]

    assert rules(oracle) == rules(routing)


def test_a_factory_has_to_say_its_rules() -> None:
    with pytest.raises(TypeError):
        RuleFactory()  # type: ignore[abstract]


def test_a_factory_of_ones_own_can_be_added() -> None:
    class Both(RuleFactory):
        def get_rules(self, map: Any) -> list[Rule]:
            return [Rule("/a", endpoint="a"), Rule("/b", endpoint="b")]

    assert ["a", "b"] == [rule.endpoint for rule in Map([Both()]).iter_rules()]


def test_a_template_without_a_value_is_refused() -> None:
    with pytest.raises(KeyError):
        Map([RuleTemplate([Rule("/$name")])()])


def test_factories_can_be_nested() -> None:
    rules = Map(
        [Subdomain("api", [Submount("/v1", [EndpointPrefix("v1.", [Rule("/a", endpoint="a")])])])]
    )

    assert ("v1.a", {}) == rules.bind("h", subdomain="api").match("/v1/a")


@pytest.mark.parametrize("library", [routing, oracle])
def test_a_submount_keeps_what_its_rules_say(library: Any) -> None:
    rules = library.Map(
        [library.Submount("/m", [library.Rule("/a/", endpoint="a", strict_slashes=False)])]
    )

    assert "a" == rules.bind("h").match("/m/a")[0]


def test_a_submount_keeps_websocket_and_slashes() -> None:
    rule = Rule("/a//b", endpoint="a", websocket=True, merge_slashes=False)
    rules = Map([Submount("/m", [rule])])

    assert "a" == rules.bind("h").match("/m/a//b", websocket=True)[0]
