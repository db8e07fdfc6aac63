"""Task 10: files as HTTP means them.

This program sends a whole file each time, and fails with 500 if there is none. Give each answer an ETag. Answer 304
without content when If-None-Match has that tag, 206 with Content-Range when Range asks for a part, and 404 for a file
that is not there. What lies outside of the folder is not there either, whatever the path says.

Check it: groundwire learn 10 --check my_files.py
"""

from pathlib import Path

from groundwire import Groundwire, Response

app = Groundwire(__name__)
FOLDER = Path(__file__).parent / "my_files"
FOLDER.mkdir(exist_ok=True)
(FOLDER / "poem.txt").write_text("Rain on the roof.\n")


@app.get("/files/<path:name>")
def file(name):
    return Response((FOLDER / name).read_bytes(), mimetype="text/plain")
