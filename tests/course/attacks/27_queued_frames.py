from toolbox import did, frame, send

QUEUE = [
    {"ready": True},
    {"facts": {}, "code": {}},
    *({"seq": n, "ok": 42, "changed": []} for n in range(100)),
]
for header in QUEUE:
    send(frame(header))
did("queue frames before anything is asked")


def twice(function, x):
    return function(function(x))
