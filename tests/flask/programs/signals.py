"""Flask's page "Signals"."""

import flask
from flask import Flask, abort, flash, render_template_string

app = Flask(__name__)
app.secret_key = "a key for the tests alone"
app.logger.disabled = True
seen = []


def telling(name):
    def receiver(sender, **extra):
        seen.append([name, sender.name == app.name, sorted(extra)])

    return receiver


receivers = {
    name: telling(name)
    for name in (
        *(
            "appcontext_popped",
            "appcontext_pushed",
            "appcontext_tearing_down",
            "before_render_template",
        ),
        *("got_request_exception", "message_flashed", "request_finished", "request_started"),
        *("request_tearing_down", "template_rendered"),
    )
}
for name, receiver in receivers.items():
    getattr(flask, name).connect(receiver, app)


@app.route("/")
def index():
    return "index"


@app.route("/template")
def template():
    flash("hello")
    return render_template_string("{{ get_flashed_messages() }}")


@app.route("/fails")
def fails():
    return 1 // 0


@app.route("/abort")
def aborting():
    abort(404)


@app.route("/seen")
def told():
    told = [*seen]
    seen.clear()
    return told


REQUESTS = [
    "GET /",
    "GET /seen",
    "GET /template",
    "GET /seen",
    "GET /fails",
    "GET /seen",
    "GET /abort",
    "GET /seen",
]
