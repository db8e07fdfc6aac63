"""Applications are mounted below paths."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.middleware.dispatcher import DispatcherMiddleware as Theirs

from groundwire.adapters.dispatcher import DispatcherMiddleware

MOUNTS = ["/api", "/api/v1", "/", "", "plain"]


def called(kind: type[Any], path: str, mounts: list[str]) -> tuple[str, str, str]:
    def named(name: str) -> Any:
        return lambda environ, start: [name, environ["SCRIPT_NAME"], environ["PATH_INFO"]]

    application = kind(named("main"), {mount: named(f"at {mount}") for mount in mounts})
    return application({"PATH_INFO": path, "SCRIPT_NAME": "/root"}, None)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("path", "name", "script", "rest"),
    [
        ("/", "main", "/root", "/"),
        ("/apis", "main", "/root", "/apis"),
        ("/api", "at /api", "/root/api", ""),
        ("/api/x/y", "at /api", "/root/api", "/x/y"),
        ("/api/v1/x", "at /api/v1", "/root/api/v1", "/x"),
    ],
)
def test_the_longest_mount_gets_the_request(path: str, name: str, script: str, rest: str) -> None:
    assert [name, script, rest] == called(DispatcherMiddleware, path, ["/api", "/api/v1"])


@given(
    st.lists(st.sampled_from(["/", "api", "v1", "plain", "x"]), max_size=6).map("".join),
    st.lists(st.sampled_from(MOUNTS), unique=True),
)
def test_requests_go_where_werkzeugs_go(path: str, mounts: list[str]) -> None:
    assert called(Theirs, path, mounts) == called(DispatcherMiddleware, path, mounts)
