"""A Flask app with the same responses, on Flask's threaded server: ``python flask_app.py PORT``."""

import logging
import sys
import time

from answers import EVENTS, HEALTH, OCTOCAT, TOKEN, completion
from flask import Flask, Response, abort, request

app = Flask(__name__)


@app.before_request
def check_token():
    """Answer 401 to callers without the token, except for /health."""
    if request.path != "/health" and request.headers.get("Authorization") != f"Bearer {TOKEN}":
        abort(401)


@app.get("/health")
def health():
    return HEALTH


@app.get("/octocat")
def octocat():
    return OCTOCAT


@app.post("/chat")
def chat():
    return completion(request.get_json())


@app.get("/events")
def events():
    def stream():
        for number, event in enumerate(EVENTS):
            if number:
                time.sleep(0.1)
            yield event

    return Response(stream(), content_type="text/event-stream")


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app.run(port=int(sys.argv[1]), threaded=True)
