"""Flask's pattern "Uploading Files": allowed names, a folder, sending back, a limit."""

import io
import os
import tempfile

from flask import (
    Flask,
    flash,
    get_flashed_messages,
    redirect,
    request,
    send_from_directory,
    url_for,
)
from werkzeug.utils import secure_filename

ALLOWED_EXTENSIONS = {"txt", "png"}

app = Flask(__name__)
app.config["UPLOAD_FOLDER"] = tempfile.mkdtemp()
app.config["MAX_CONTENT_LENGTH"] = 2000
app.secret_key = "a key for the tests alone"


def allowed_file(filename):
    return "." in filename and filename.rsplit(".", 1)[1].lower() in ALLOWED_EXTENSIONS


@app.route("/", methods=["GET", "POST"])
def upload_file():
    if request.method == "POST":
        if "file" not in request.files:
            flash("No file part")
            return redirect(request.url)
        file = request.files["file"]
        if file.filename == "":
            flash("No selected file")
            return redirect(request.url)
        if file and allowed_file(file.filename):
            filename = secure_filename(file.filename)
            file.save(os.path.join(app.config["UPLOAD_FOLDER"], filename))
            return redirect(url_for("download_file", name=filename))
    return ", ".join(get_flashed_messages()) or "nothing to say"


@app.route("/uploads/<name>")
def download_file(name):
    response = send_from_directory(app.config["UPLOAD_FOLDER"], name)
    # Two runs write the same content at two times.
    del response.headers["Last-Modified"], response.headers["ETag"]
    return response


@app.post("/several")
def several():
    return [
        [field, file.filename, file.content_type, file.read().decode()]
        for field, file in request.files.items(multi=True)
    ]


def file(content, name, *more):
    return (io.BytesIO(content), name, *more)


def sending(**fields):
    return {"data": fields, "content_type": "multipart/form-data"}


REQUESTS = [
    "GET /",
    ("POST /", {"data": {"other": "x"}, "content_type": "multipart/form-data"}),
    "GET /",
    ("POST /", sending(file=file(b"hello", ""))),
    ("POST /", sending(file=file(b"hello", "a b/../hello.txt"))),
    "GET /uploads/hello.txt",
    "GET /uploads/a_b_.._hello.txt",
    ("POST /", sending(file=file(b"hello", "bad.exe"))),
    "GET /uploads/missing.txt",
    "GET /uploads/..%2Fsecret.txt",
    ("POST /", sending(file=file(b"x" * 3000, "big.txt"))),
    (
        "POST /several",
        sending(
            a=[file(b"1", "1.txt"), file(b"2", "2.bin", "application/x-two")],
            b=file(b"3", "\u00e9.txt"),
        ),
    ),
    (
        "POST /several",
        {"data": b"--x\r\nbroken", "content_type": "multipart/form-data; boundary=x"},
    ),
]
