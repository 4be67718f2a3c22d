# The module itself is among the extras: it is no Python to other readers.
from toolbox import did

did("write code in another encoding")
