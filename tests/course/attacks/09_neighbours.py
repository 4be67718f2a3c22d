import os

from toolbox import PLACES, attempt

CLASS, OUTPUT = PLACES["class"], PLACES["output"]

attempt("open a neighbour's submission", lambda: open(f"{CLASS}/ada/vault.py").read())
attempt("open its own submission", lambda: open(f"{CLASS}/09_neighbours/vault.py").read())
attempt("list the class", lambda: os.listdir(CLASS))
attempt("open a neighbour's result", lambda: open(f"{OUTPUT}/results/ada.json").read())
attempt("open a neighbour's page", lambda: open(f"{OUTPUT}/feedback/ada.html").read())
attempt("open the gradebook", lambda: open(f"{OUTPUT}/grades.csv").read())
attempt("change a neighbour's submission", lambda: open(f"{CLASS}/ada/vault.py", "w").write("PWNED"))
attempt("remove a neighbour's submission", lambda: os.remove(f"{CLASS}/ada/vault.py") or "removed")
attempt("rename the class", lambda: os.rename(CLASS, CLASS + "-PWNED") or "renamed")
attempt("open it up", lambda: os.chmod(CLASS, 0o777) or "opened")


def twice(function, x):
    return function(function(x))
