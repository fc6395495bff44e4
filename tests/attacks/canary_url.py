"""A listener on loopback that tells its port, then every call; no question and no answer may bring one."""

import socket
import sys

with socket.create_server(("127.0.0.1", 0)) as server:
    sys.stdout.write(f"{server.getsockname()[1]}\n")
    while True:
        sys.stdout.flush()
        server.accept()[0].close()
        sys.stdout.write("called\n")
