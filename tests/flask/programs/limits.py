"""MAX_CONTENT_LENGTH, MAX_FORM_MEMORY_SIZE, MAX_FORM_PARTS, and their overrides on a request."""

from flask import Flask, request

app = Flask(__name__)
app.config.update(MAX_CONTENT_LENGTH=100, MAX_FORM_MEMORY_SIZE=50, MAX_FORM_PARTS=2)


@app.post("/data")
def data():
    return str(len(request.data))


@app.post("/form")
def form():
    return sorted(request.form)


@app.post("/raised")
def raised():
    request.max_content_length = 1000
    request.max_form_memory_size = 1000
    request.max_form_parts = 10
    return sorted(request.form)


@app.post("/ignored")
def ignored():
    return "not read"


@app.errorhandler(413)
def too_large(error):
    return f"too large: {error.description}", 413


MULTIPART = {"content_type": "multipart/form-data"}

REQUESTS = [
    ("POST /data", {"data": b"x" * 100}),
    ("POST /data", {"data": b"x" * 101}),
    ("POST /form", {"data": {"a": "x" * 40}}),
    ("POST /form", {"data": {"a": "x" * 60}}),
    ("POST /raised", {"data": {"a": "x" * 200}}),
    ("POST /raised", {"data": {"a": "1", "b": "2", "c": "3"}, **MULTIPART}),
]
