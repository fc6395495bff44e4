"""Real database servers for tests: started once when first asked for, stopped when the test run ends."""

import atexit
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).parent
ABSENT = 77
SCHEMES = {"postgres": "postgresql+psycopg", "mariadb": "mysql+pymysql"}


class Server(NamedTuple):
    """A running server."""

    kind: str
    folder: Path
    port: int

    def sql(self, text: str, database: str) -> str:
        """Run SQL as the administrator; its output, one row a line."""
        command = [str(HERE / f"{self.kind}.sh"), "sql", str(self.folder), database]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def url(self, database: str, account: str = "reader:reader-pass") -> str:
        """The URL of a database of this server, as SQLAlchemy takes it."""
        return f"{SCHEMES[self.kind]}://{account}@127.0.0.1:{self.port}/{database}"


@cache
def running(kind: str) -> Server:
    """The server of this kind (postgres, mariadb); the test is skipped where none is installed."""
    script = str(HERE / f"{kind}.sh")
    done = subprocess.run([script, "start"], capture_output=True, text=True, check=False)
    if done.returncode == ABSENT:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    folder, port = done.stdout.split()
    atexit.register(subprocess.run, [script, "stop", folder], check=False, capture_output=True)
    return Server(kind, Path(folder), int(port))
