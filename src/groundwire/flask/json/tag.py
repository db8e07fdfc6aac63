"""`flask.json.tag`: JSON that keeps what JSON has no type for."""
