"""Who sends requests while a scenario plays.

``engine`` is a process of its own; ``running`` starts it and listens to it. ``order`` is what the two
say to each other, ``schedule`` when requests are due. ``client`` sends them: each a ``message`` over a
``connection``, and what comes back is read by ``answers``.
"""
