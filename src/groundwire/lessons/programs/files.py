"""Serves the files of a folder.

groundwire run files.py
curl -i http://localhost:8000/files/sea.txt
"""

from pathlib import Path

from groundwire import Groundwire, send_from_directory

app = Groundwire(__name__)
FOLDER = Path(__file__).parent / "public"


@app.get("/files/<path:name>")
def file(name):
    return send_from_directory(FOLDER, name)
