"""A solution."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request

from groundwire import Groundwire

app = Groundwire(__name__)
API = os.environ.get("WEATHER_API", "http://127.0.0.1:8001")


@app.get("/<city>")
def show(city):
    url = f"{API}/weather/{urllib.parse.quote(city, safe='')}"
    try:
        with urllib.request.urlopen(url, timeout=2.5) as answer:
            degrees = int(json.load(answer)["degrees"])
    except urllib.error.HTTPError as error:
        return "It failed.", 404 if error.code == 404 else 502
    except TimeoutError:
        return "It does not answer.", 504
    except (OSError, ValueError, KeyError, TypeError):
        return "It makes no sense.", 502
    return f"{degrees} degrees"
