"""Status codes."""

import pytest
import werkzeug.http as oracle

from groundwire.http.response import Response
from groundwire.http.status import HTTP_STATUS_CODES, REASONS, forbids_content, reason_phrase


@pytest.mark.parametrize("status", [100, 101, 103, 199, 204, 205, 304])
def test_answers_that_never_have_content(status: int) -> None:
    assert forbids_content(status)


@pytest.mark.parametrize("status", [200, 206, 301, 404, 500])
def test_answers_that_may_have_content(status: int) -> None:
    assert not forbids_content(status)


def test_reason_phrases() -> None:
    assert reason_phrase(404) == "Not Found"
    assert reason_phrase(299) == ""
    assert set(oracle.HTTP_STATUS_CODES) - set(REASONS) <= {418, 449, 506}


def test_programs_are_told_werkzeugs_names() -> None:
    assert oracle.HTTP_STATUS_CODES == {
        code: HTTP_STATUS_CODES.get(code) for code in oracle.HTTP_STATUS_CODES
    }
    assert "422 UNPROCESSABLE ENTITY" == Response(status=422).status
    assert REASONS[422] == "Unprocessable Content"  # RFC 9110 §15.5.21: so it is on the wire
