import sys
import threading

from toolbox import CANARY, try_to

WANTED = ("expected", "LABELS", "SECRET", "ledger", "item", "accuracy")


def frames():
    walkers = [*sys._current_frames().values(), sys._getframe()]
    for walker in walkers:
        while walker is not None:
            yield walker
            walker = walker.f_back


def callers_names():
    return [
        (f.f_code.co_name, name) for f in frames() for name in (*f.f_locals, *f.f_globals) if name in WANTED
    ]


def callers_texts():
    texts = [
        repr(value) for f in frames() for value in f.f_locals.values() if type(value) in (str, tuple, list)
    ]
    return [text for text in texts if CANARY in text and 'CANAR" +' not in text]


def callers_files():
    return [
        f.f_code.co_filename
        for f in frames()
        if "test_" in f.f_code.co_filename or "pytest" in f.f_code.co_filename
    ]


def exceptions_frames():
    try:
        raise ValueError
    except ValueError as error:
        walker = error.__traceback__.tb_frame
    found = []
    while walker is not None:
        found += [name for name in walker.f_locals if name in WANTED]
        walker = walker.f_back
    return found


def threads():
    return [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]


def twice(function, x):
    try_to("find the expected value in a caller", callers_names)
    try_to("find a canary in a caller", callers_texts)
    try_to("find a test among the callers", callers_files)
    try_to("find it through an exception", exceptions_frames)
    try_to("find another thread", threads)
    return function(function(x))
