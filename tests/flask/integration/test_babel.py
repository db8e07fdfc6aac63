"""Flask-Babel: texts, dates and numbers in the language of whoever asks."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from flask import Flask, render_template_string, request
from flask_babel import (
    Babel,
    force_locale,
    format_currency,
    format_datetime,
    format_decimal,
    get_locale,
    gettext,
    lazy_gettext,
    ngettext,
)

WHEN = datetime(2024, 3, 1, 15, 30, tzinfo=UTC)
TITLE = lazy_gettext("Good morning")


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    catalog = Catalog(locale="de")
    catalog.add("Good morning", "Guten Morgen")
    catalog.add("Hello %(name)s", "Hallo %(name)s")
    catalog.add(("%(num)s apple", "%(num)s apples"), ("%(num)s Apfel", "%(num)s Äpfel"))
    folder = tmp_path / "translations" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with open(folder / "messages.mo", "wb") as file:
        write_mo(file, catalog)

    app = Flask(__name__, root_path=str(tmp_path))
    app.config.update(TESTING=True, BABEL_DEFAULT_TIMEZONE="UTC")

    def locale() -> str | None:
        return request.accept_languages.best_match(["de", "en"])

    def timezone() -> str | None:
        return request.args.get("zone")

    Babel(app, locale_selector=locale, timezone_selector=timezone)

    @app.get("/hello/<name>")
    def hello(name: str) -> str:
        return gettext("Hello %(name)s", name=name)

    @app.get("/apples/<int:number>")
    def apples(number: int) -> str:
        return ngettext("%(num)s apple", "%(num)s apples", number)

    @app.get("/page")
    def page() -> str:
        return render_template_string(
            "<h1>{{ title }}</h1>{{ _('Hello %(name)s', name='<b>') }} {{ when|datetimeformat }}",
            title=TITLE,
            when=WHEN,
        )

    @app.get("/figures")
    def figures() -> dict[str, Any]:
        return {
            "locale": str(get_locale()),
            "when": format_datetime(WHEN, "yyyy-MM-dd HH:mm"),
            "number": format_decimal(1234.5),
            "price": format_currency(9.5, "EUR"),
        }

    return app


GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


def test_a_text_is_in_the_language_asked_for(app: Flask) -> None:
    client = app.test_client()

    assert "Hallo Ada" == client.get("/hello/Ada", headers=GERMAN).text
    assert "Hello Ada" == client.get("/hello/Ada").text


@pytest.mark.parametrize(("number", "text"), [(1, "1 Apfel"), (2, "2 Äpfel")])
def test_plurals_are_the_languages_own(app: Flask, number: int, text: str) -> None:
    answer = app.test_client().get(f"/apples/{number}", headers=GERMAN)

    assert text == answer.text


def test_templates_translate_escape_and_format(app: Flask) -> None:
    answer = app.test_client().get("/page", headers=GERMAN)

    assert answer.text.startswith("<h1>Guten Morgen</h1>Hallo &lt;b&gt; ")
    assert "01.03.2024" in answer.text


def test_figures_are_written_as_the_language_does(app: Flask) -> None:
    client = app.test_client()

    german = client.get("/figures?zone=Europe/Vienna", headers=GERMAN).json
    english = client.get("/figures").json

    assert german is not None
    assert english is not None
    assert {
        "locale": "de",
        "when": "2024-03-01 16:30",
        "number": "1.234,5",
        "price": "9,50\xa0€",
    } == german
    assert {
        "locale": "en",
        "when": "2024-03-01 15:30",
        "number": "1,234.5",
        "price": "€9.50",
    } == english


def test_a_language_can_be_forced(app: Flask) -> None:
    with app.test_request_context(), force_locale("de"):
        assert "Guten Morgen" == str(TITLE)
    with app.test_request_context():
        assert "Good morning" == str(TITLE)
