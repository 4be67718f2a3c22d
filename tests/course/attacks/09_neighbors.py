import os

from toolbox import PLACES, attempt

CLASS, OUTPUT = PLACES["class"], PLACES["output"]

attempt("open a neighbor's submission", lambda: open(f"{CLASS}/ada/vault.py").read())
attempt("open its own submission", lambda: open(f"{CLASS}/09_neighbors/vault.py").read())
attempt("list the class", lambda: os.listdir(CLASS))
attempt("open a neighbor's result", lambda: open(f"{OUTPUT}/results/ada.json").read())
attempt("open a neighbor's page", lambda: open(f"{OUTPUT}/feedback/ada.html").read())
attempt("open the gradebook", lambda: open(f"{OUTPUT}/grades.csv").read())
attempt("change a neighbor's submission", lambda: open(f"{CLASS}/ada/vault.py", "w").write("PWNED"))
attempt("remove a neighbor's submission", lambda: os.remove(f"{CLASS}/ada/vault.py") or "removed")
attempt("rename the class", lambda: os.rename(CLASS, CLASS + "-PWNED") or "renamed")
attempt("open it up", lambda: os.chmod(CLASS, 0o777) or "opened")


def twice(function, x):
    return function(function(x))
