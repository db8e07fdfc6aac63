"""Flask-Limiter: so many requests and no more, counted by whoever asks."""

import pytest
from flask import Blueprint, Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address


def user() -> str:
    return request.headers.get("X-User", "nobody")


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    app.config.update(TESTING=True, RATELIMIT_HEADERS_ENABLED=True)
    limiter = Limiter(
        get_remote_address, app=app, default_limits=["3 per hour"], storage_uri="memory://"
    )
    blueprint = Blueprint("slow", __name__, url_prefix="/slow")
    limiter.limit("1 per hour")(blueprint)

    @app.get("/")
    def default() -> str:
        return "default"

    @app.get("/two")
    @limiter.limit("2/hour", key_func=user)
    def two() -> str:
        return "two"

    @app.route("/posted", methods=["GET", "POST"])
    @limiter.limit("1/hour", methods=["POST"], error_message="once an hour")
    def posted() -> str:
        return request.method

    @app.get("/free")
    @limiter.exempt
    def free() -> str:
        return "free"

    @blueprint.get("/")
    def slow() -> str:
        return "slow"

    app.register_blueprint(blueprint)
    return app


def statuses(app: Flask, path: str, times: int, **options: object) -> list[int]:
    client = app.test_client()
    return [client.get(path, **options).status_code for _ in range(times)]  # type: ignore[arg-type]


def test_the_default_holds_where_nothing_else_is_said(app: Flask) -> None:
    assert [200, 200, 200, 429] == statuses(app, "/", 4)


def test_each_address_has_its_own_count(app: Flask) -> None:
    statuses(app, "/", 4)
    other = app.test_client().get("/", environ_base={"REMOTE_ADDR": "192.0.2.7"})

    assert 200 == other.status_code


def test_a_views_own_limit_replaces_the_default(app: Flask) -> None:
    assert [200, 200, 429] == statuses(app, "/two", 3)
    assert [200] == statuses(app, "/two", 1, headers={"X-User": "ada"})


def test_a_limit_may_be_for_one_method(app: Flask) -> None:
    client = app.test_client()

    assert 200 == client.post("/posted").status_code
    refused = client.post("/posted")

    assert 429 == refused.status_code
    assert "once an hour" in refused.text
    assert 200 == client.get("/posted").status_code


def test_an_exempt_view_has_none(app: Flask) -> None:
    assert [200] * 10 == statuses(app, "/free", 10)


def test_a_blueprint_has_a_limit_of_its_own(app: Flask) -> None:
    assert [200, 429] == statuses(app, "/slow/", 2)


def test_answers_say_what_is_left(app: Flask) -> None:
    client = app.test_client()
    first, second = client.get("/"), client.get("/")

    assert "3" == first.headers["X-RateLimit-Limit"]
    assert ["2", "1"] == [answer.headers["X-RateLimit-Remaining"] for answer in (first, second)]
    assert "Retry-After" in first.headers


def test_the_program_can_answer_itself(app: Flask) -> None:
    @app.errorhandler(429)
    def too_many(error: Exception) -> tuple[dict[str, str], int]:
        return {"error": str(getattr(error, "description", ""))}, 429

    client = app.test_client()
    answers = [client.get("/slow/") for _ in range(2)]

    assert {"error": "1 per 1 hour"} == answers[1].json
