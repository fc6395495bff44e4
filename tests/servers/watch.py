"""What a server does for its clients, looked at from outside: memory, and statements that still run."""

import time
from pathlib import Path

from running import Server

PID_FILES = {"postgres": "data/postmaster.pid", "mariadb": "data/server.pid"}
RUNNING = {
    "postgres": "SELECT pid FROM pg_stat_activity WHERE usename = 'reader' AND state = 'active'",
    "mariadb": "SELECT id FROM information_schema.processlist WHERE user = 'reader' AND command <> 'Sleep'",
}
CONNECTED = {
    "postgres": "SELECT pid FROM pg_stat_activity WHERE usename = 'reader'",
    "mariadb": "SELECT id FROM information_schema.processlist WHERE user = 'reader'",
}


def _numbers(server: Server, sql: dict[str, str]) -> frozenset[str]:
    return frozenset(
        server.sql(sql[server.kind], "postgres" if server.kind == "postgres" else "mysql").split()
    )


def connections(server: Server) -> frozenset[str]:
    """Connections of `reader`, by the server's numbers."""
    return _numbers(server, CONNECTED)


def busy(server: Server) -> frozenset[str]:
    """Those of them that run a statement."""
    return _numbers(server, RUNNING)


def seconds_until_idle(server: Server, patience: float, but: frozenset[str] = frozenset()) -> float:
    """How long from now a connection other than `but` is busy; `patience` when it still is by then."""
    started = time.monotonic()
    while busy(server) - but and time.monotonic() - started < patience:
        time.sleep(0.02)
    return min(time.monotonic() - started, patience)


def memory(server: Server) -> int:
    """Resident bytes of all processes of the server, without pages they share."""
    return sum(map(_anonymous, processes(server)))


def processes(server: Server) -> list[int]:
    """All processes of the server."""
    main = int((server.folder / PID_FILES[server.kind]).read_text().split()[0])
    return [main, *_children(main)]


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _anonymous(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)
