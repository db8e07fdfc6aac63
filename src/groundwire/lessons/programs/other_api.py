"""A page made of what another API says.

groundwire run weather_api.py --port 8001
groundwire run other_api.py
curl -i http://localhost:8000/Oslo
"""

import json
import os
import urllib.error
import urllib.parse
import urllib.request

from markupsafe import escape

from groundwire import Groundwire

app = Groundwire(__name__)
API = os.environ.get("WEATHER_API", "http://127.0.0.1:8001")
WAIT_SECONDS = 1


@app.get("/<city>")
def show(city):
    url = f"{API}/weather/{urllib.parse.quote(city, safe='')}"
    try:
        with urllib.request.urlopen(url, timeout=WAIT_SECONDS) as answer:
            degrees = int(json.load(answer)["degrees"])
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return f"Nobody knows the weather in {escape(city)}.", 404
        return "The weather service has failed.", 502
    except TimeoutError:
        return "The weather service does not answer.", 504
    except (OSError, ValueError, KeyError, TypeError):
        return "The weather service cannot be reached, or makes no sense.", 502
    return f"<h1>{escape(city)}</h1><p>{degrees} degrees</p>"
