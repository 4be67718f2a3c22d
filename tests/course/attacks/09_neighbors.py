import os

from toolbox import PLACES, try_to

CLASS, OUTPUT = PLACES["class"], PLACES["output"]

try_to("open a neighbor's submission", lambda: open(f"{CLASS}/ada/vault.py").read())
try_to("open its own submission", lambda: open(f"{CLASS}/09_neighbors/vault.py").read())
try_to("list the class", lambda: os.listdir(CLASS))
try_to("open a neighbor's result", lambda: open(f"{OUTPUT}/results/ada.json").read())
try_to("open a neighbor's page", lambda: open(f"{OUTPUT}/feedback/ada.html").read())
try_to("open the gradebook", lambda: open(f"{OUTPUT}/grades.csv").read())
try_to("change a neighbor's submission", lambda: open(f"{CLASS}/ada/vault.py", "w").write("PWNED"))
try_to("remove a neighbor's submission", lambda: os.remove(f"{CLASS}/ada/vault.py") or "removed")
try_to("rename the class", lambda: os.rename(CLASS, CLASS + "-PWNED") or "renamed")
try_to("open it up", lambda: os.chmod(CLASS, 0o777) or "opened")


def twice(function, x):
    return function(function(x))
