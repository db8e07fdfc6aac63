"""A solution."""

from groundwire import Groundwire, request

app = Groundwire(__name__)


@app.route("/")
def hello():
    language = request.accept_languages.best_match(["en", "de"], default="en")
    text = {"en": "Hello!", "de": "Guten Tag!"}[language]
    return text, {"Content-Language": language, "Vary": "Accept-Language"}
