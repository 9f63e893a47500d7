"""`python3 -S -E healthcheck.py 8011`: exit 0 when /health on this port answers 200 within a second.

Containers run this every three seconds, so it is made to cost little: no site, no http, not even
the Python half of `socket`, only its C half.
"""

import _socket
import sys

connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
connection.settimeout(1.0)
try:
    connection.connect(("127.0.0.1", int(sys.argv[1])))
    connection.send(b"GET /health HTTP/1.0\r\n\r\n")
    sys.exit(0 if b" 200 " in connection.recv(64) else 1)
except OSError:
    sys.exit(1)
