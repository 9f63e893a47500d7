"""The edge proxy: what stands between a caller and its dependency, and can spoil what passes.

    caller ──▶ [ listen │ toxics │ upstream ] ──▶ dependency

One process holds one small TCP proxy per edge. A **toxic** on an edge makes its traffic late, slow, torn
or lost. The process is driven over HTTP, in the language of Toxiproxy (https://github.com/Shopify/toxiproxy),
so that either can stand in for the other.

Read in this order: ``toxics/base.py`` (what a toxic is), ``pipe.py`` (one direction of a connection),
``connection.py``, ``proxy.py`` (one edge), ``api.py``. All of it but ``client.py`` and ``process.py`` needs
nothing but Python's standard library, because it also runs inside containers (``sources.py``).
"""
