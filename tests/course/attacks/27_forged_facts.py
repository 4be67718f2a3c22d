import os

from toolbox import frame, send

# The process ends in the middle of the import, so that these frames are its last: facts without a loop.
FACTS = {"vault": [[["scale", 1, "function", *[[]] * 9]], []], "toolbox": [[], []]}
send(frame({"facts": FACTS, "code": {}}) + frame({"ready": True}))
os._exit(0)
