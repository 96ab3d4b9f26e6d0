"""Event streams as Flask's users write them: a generator in a response. Takes the port."""

import json
import sys
import threading

from flask import Flask, Response, abort, jsonify, request

app = Flask(__name__)
notes = []
requests = []
streams = 0
changed = threading.Condition()


def event(number):
    return f"id: {number}\nevent: note\ndata: {json.dumps(notes[number - 1])}\n\n"


@app.get("/events")
def events():
    """All notes after the last event id, then those to come; the server ends the stream after `take` of them."""
    cursor = int(request.headers.get("Last-Event-ID", 0))
    take = request.args.get("take", type=int)
    requests.append(request.headers.get("Last-Event-ID"))

    def generate():
        global streams
        streams += 1
        try:
            yield ": hello\nretry: 100\n\n"
            position = cursor
            while take is None or position < cursor + take:
                with changed:
                    changed.wait_for(lambda: len(notes) > position, timeout=0.1)
                if len(notes) > position:
                    position += 1
                    yield event(position)
                else:
                    yield ": quiet\n\n"
        finally:
            streams -= 1

    return Response(generate(), mimetype="text/event-stream")


@app.post("/notes")
def publish():
    with changed:
        notes.append(request.get_json())
        changed.notify_all()
    return "", 202


@app.get("/seen")
def seen():
    return jsonify(requests=requests, streams=streams)


@app.get("/secret")
def secret():
    if request.headers.get("Authorization") != "Bearer fresh":
        abort(401)
    return Response(["event: note\n", 'data: "for your eyes"\n\n'], mimetype="text/event-stream")


@app.get("/nothing")
def nothing():
    return "", 204


@app.get("/busy")
def busy():
    return "later", 503, {"Retry-After": "120"}


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[1]), threaded=True)
