"""Where a target is read: from compose files (``files``) or from a running project (``project``).

A file passes through one room after the other; only ``files`` knows them all::

    yaml_source   a file → nodes that remember their line (yaml_nodes)
    variables     ${NAME} → its value, from the environment or a .env file (dotenv)
    merging       several documents → one, as compose merges them
    extension     x-knockon → checked keys
    services      what a service says of itself: restart, health, ports, environment
    edges         who depends on whom, host names in URLs included (hosts)
    files         the journey from paths to a Target

Nothing is thrown at the first mistake: rooms note each one in ``Problems`` and go on, so that a user
sees all of them at once.
"""
