"""A URL shortener with a JSON interface, as web courses build it.

curl -i localhost:5000/shorten --json '{"url": "https://www.rfc-editor.org/rfc/rfc9110.html"}'
curl -i localhost:5000/1
"""

from flask import Flask, redirect, request

app = Flask(__name__)

links = {}


@app.route("/shorten", methods=["POST"])
def shorten():
    url = request.json.get("url")
    if not url:
        return "Missing URL Parameter", 400
    code = format(len(links) + 1, "x")
    links[code] = url
    return {"short_url": request.host_url + code}, 201


@app.route("/<code>")
def follow(code):
    if code not in links:
        return "No such link", 404
    return redirect(links[code], code=301)


if __name__ == "__main__":
    app.run(debug=True)
