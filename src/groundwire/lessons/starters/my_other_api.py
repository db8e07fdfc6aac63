"""Task 12: what to say when the other server fails.

The weather service of the lesson knows Oslo and Rome. It answers 404 for cities it does not know: pass that on. For
Babel it sends what is no JSON: then your answer is 502 Bad Gateway. For Atlantis it does not answer in time: wait for
one second, then answer 504 Gateway Timeout. Nobody should see a 500.

Check it: groundwire learn 12 --check my_other_api.py
"""

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
    with urllib.request.urlopen(url) as answer:
        degrees = int(json.load(answer)["degrees"])
    return f"{degrees} degrees"
