"""A small process beside each run on a real fleet: it heals when the run dies, and ends with it otherwise.

::

    guard       in the run: starts it, and tells it that all is well
    __main__    the process: waits for one or the other, and heals as ``knockon heal`` does
    order       what it is told: whose death to wait for, and where that run leaves things
"""
