"""The other API: weather as JSON, with the moods that other people's servers have.

groundwire run weather_api.py --port 8001
curl -i http://localhost:8001/weather/Oslo
"""

import time

from groundwire import Groundwire, abort

app = Groundwire(__name__)
degrees = {"Oslo": -3, "Rome": 17}


@app.get("/weather/<city>")
def weather(city):
    if city == "Atlantis":
        time.sleep(4)  # longer than anybody waits
    if city == "Babel":
        return "no JSON"
    if city not in degrees:
        abort(404)
    return {"city": city, "degrees": degrees[city]}
