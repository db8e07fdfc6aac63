"""A solution."""

from pathlib import Path

from groundwire import Groundwire, send_from_directory

app = Groundwire(__name__)
FOLDER = Path(__file__).parent / "my_files"
FOLDER.mkdir(exist_ok=True)
(FOLDER / "poem.txt").write_text("Rain on the roof.\n")


@app.get("/files/<path:name>")
def file(name):
    return send_from_directory(FOLDER, name)
