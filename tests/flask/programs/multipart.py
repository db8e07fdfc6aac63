"""Forms in multipart/form-data, part by part: names, files, types, what is around them and what is wrong with them."""

from flask import Flask, request

app = Flask(__name__)


@app.post("/")
def index():
    return {
        "form": request.form.to_dict(flat=False),
        "files": [
            [
                field,
                file.filename,
                file.name,
                file.content_type,
                file.mimetype_params,
                file.content_length,
                sorted(file.headers.items()),
                file.read().decode("latin-1"),
                repr(file),
            ]
            for field, file in request.files.items(multi=True)
        ],
        "values": sorted(request.values.items(multi=True)),
    }


@app.post("/data-first")
def data_first():
    return [len(request.get_data()), request.form, list(request.files)]


@app.post("/form-first")
def form_first():
    return [request.form, request.get_data().decode(), request.data.decode()]


@app.post("/parsed")
def parsed():
    return [request.get_data(parse_form_data=True).decode(), request.form]


@app.post("/stream")
def stream():
    return [request.stream.read(3).decode(), request.stream.readline().decode(), request.form]


@app.post("/missing")
def missing():
    return request.files["missing"].filename


NAMED_A = 'Content-Disposition: form-data; name="a"'
FILE = f'{NAMED_A}; filename="f.txt"'


def part(fields, content, boundary="x"):
    return f"--{boundary}\r\n{fields}\r\n\r\n{content}\r\n"


def form(*parts, end="--x--\r\n", parameters="; boundary=x", kind="form-data", to="/"):
    options = {"data": "".join(parts) + end, "content_type": f"multipart/{kind}{parameters}"}
    return (f"POST {to}", options)


REQUESTS = [
    form(part(NAMED_A, "1")),
    form(part(NAMED_A, "1"), part(NAMED_A, "2")),
    form(part(FILE, "1"), part(NAMED_A, "2")),
    *(
        form(part(f"{NAMED_A}; filename={name}", "1"))
        for name in ('""', '"a\\"b.txt"', '"C:\\\\d\\\\f.txt"', '"a%22b.txt"', '"../../x"', "plain")
    ),
    form(part(f"{NAMED_A}; filename*=UTF-8''%e2%82%ac.txt", "1")),
    form(part(f"{NAMED_A}; filename=\"x.txt\"; filename*=UTF-8''%e2%82%ac.txt", "1")),
    form(part(f"{FILE}\r\nContent-Type: text/plain; charset=latin-1", "1")),
    form(part(f"{NAMED_A}\r\nContent-Type: text/plain; charset=latin-1", "\xe4")),
    form(part(f"{NAMED_A}\r\nContent-Transfer-Encoding: base64", "aGFsbG8=")),
    form(part(f"{NAMED_A}\r\nContent-Length: 1", "1")),
    *(
        form(part(f"Content-Disposition: {disposition}", "1"))
        for disposition in ("form-data; name=a", 'form-data; name=""', 'attachment; name="a"')
    ),
    form(part('content-disposition: FORM-DATA; NAME="a"', "1")),
    *(form(part(NAMED_A, content)) for content in ("", "\r\n", "line 1\r\nline 2\r\n", "- --x")),
    form("preamble\r\n", part(NAMED_A, "1")),
    *(form(part(NAMED_A, "1"), end=end) for end in ("--x--", "--x--\r\nepilogue", "--x--  \r\n")),
    form(),
    form(part(NAMED_A, "1"), parameters='; boundary="x"'),
    form(part(NAMED_A, "1"), parameters="; charset=latin-1; boundary=x"),
    form(part(NAMED_A, "1"), kind="mixed"),
    form(part(NAMED_A, "1", "a b"), end="--a b--\r\n", parameters='; boundary="a b"'),
    *(
        form(part(NAMED_A, "1"), part(FILE.replace("a", "b", 1), "2"), to=to)
        for to in ("/data-first", "/form-first", "/parsed", "/stream", "/missing")
    ),
    # What Groundwire refuses.
    form(part("Content-Disposition: form-data", "1")),
    form(part("X-Other: 1", "1")),
    form(part(NAMED_A, "--xy")),
    form(part(NAMED_A, "1"), parameters=""),
    form(part(NAMED_A, "1"), parameters="; boundary=y"),
    form(part(NAMED_A, "1").replace("\r\n", "\n"), end="--x--\n"),
    form(part(f'{NAMED_A}; filename="C:\\d\\f.txt"', "1")),
]
