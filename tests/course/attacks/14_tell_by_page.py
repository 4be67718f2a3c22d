from toolbox import did

MARKUP = "</p><script>document.title='PWNED'</script><img src=x onerror=alert(1)>{{ 7 * 7 }}{% raw %}"
TERMINAL = "\x1b]0;PWNED\x07\x1b[2J\x1b[31m\u202e\u2066\u200b\r\n=cmd|'/c calc'!A0"


def scale(x, factor):
    did("break out of the page")
    raise ValueError(MARKUP)


class Nearest:
    def fit(self, x, labels):
        did("break out of the terminal")
        raise ValueError(TERMINAL)


class Ledger:
    def __init__(self):
        raise type(MARKUP, (Exception,), {})(TERMINAL)


def twice(function, x):
    return function(function(x))
