#!/bin/sh
# The first Python that has psycopg, run with the given arguments: $PG_PYTHON, the one in the PATH, or
# that of knockon's own checkout. For knockon's local runtime; a container has exactly one Python.
for python in ${PG_PYTHON:-} python3 ../../.venv/bin/python3; do
  command -v "$python" >/dev/null || continue
  "$python" -c 'from importlib.util import find_spec as f; raise SystemExit(not (f("psycopg") and f("psycopg_pool")))' &&
    exec "$python" "$@"
done
echo "no Python here has psycopg: pip install -r requirements.txt, or name one that has it in PG_PYTHON" >&2
exit 1
