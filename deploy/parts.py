"""The processes of a cluster: how each is started, when it is up, and how it ends."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg

HERE = Path(__file__).parent
ACCOUNT = "postgres"
"""Who runs PostgreSQL and Redis where this program runs as root: PostgreSQL refuses to be root's."""
PATIENCE = 90.0
"""Seconds that a part has to come up."""
GRACE = 20
"""Seconds that an instance has to finish what it is answering; what is left goes on elsewhere."""
KEEP_ALIVE = 75
"""Seconds that an idle connection stays open, as `critiql serve` has it."""


class ClusterError(Exception):
    """The cluster cannot run. The message says what happened, why, and what to do."""


@dataclass
class Part:
    """One process.

    Attributes:
        name: what the log is called after.
        command: the program and its arguments.
        is_up: whether it answers.
        farewell: signal that ends it in good order.
        last_word: signal it gets where this program itself was killed.
        account: who runs it; empty: the caller.
    """

    name: str
    command: Sequence[str]
    folder: Path
    is_up: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    farewell: signal.Signals = signal.SIGTERM
    last_word: str = "KILL"
    account: str = ""
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder / f"{self.name}.log"

    def launch(self) -> None:
        """Start the process, in a session of its own so that Ctrl-C does not reach it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*_wrapped(self.last_word, self.account), *self.command],
                env={**os.environ, **self.environment},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            ClusterError: it ended, or did not come up in time.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if not self.runs:
                raise ClusterError(f"{self.name} ended at its start. Its last words:\n{self._last_words()}")
            if self.is_up():
                return
            time.sleep(0.2)
        raise ClusterError(f"{self.name} did not answer in {PATIENCE:.0f} s:\n{self._last_words()}")

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """End it in good order, or else at once."""
        if self.process is None:
            return
        if self.runs:
            self.process.send_signal(self.farewell)
        try:
            self.process.wait(2 * GRACE + 10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])[-2000:]


def postgres(folder: Path) -> tuple[Part, str]:
    """A PostgreSQL of its own, and the URL of its database.

    Raises:
        ClusterError: it is not installed, or its files cannot be made.
    """
    programs, port, password = _postgres_programs(), free_port(), secrets.token_urlsafe(16)
    data, word = folder / "postgres", folder / "password"
    word.write_text(password)
    own(word)
    made = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"]
    made += ["--auth=scram-sha-256", f"--pwfile={word}", "--no-sync"]
    done = subprocess.run(
        [*_wrapped("KILL", _service_account()), *made],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    word.unlink()
    if done.returncode != 0:
        raise ClusterError(f"PostgreSQL's files could not be made:\n{done.stderr}")
    url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
    command = [str(programs / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port)]
    command += ["-k", str(folder), "-c", "max_connections=200"]
    part = Part("postgres", command, folder, lambda: _connects(url), farewell=signal.SIGINT, last_word="INT")
    part.account = _service_account()
    return part, url


def redis(folder: Path) -> tuple[Part, str]:
    """A Redis of its own that keeps nothing on disk, and its URL.

    Raises:
        ClusterError: it is not installed.
    """
    program, port, password = shutil.which("redis-server"), free_port(), secrets.token_urlsafe(16)
    if program is None:
        raise ClusterError("There is no Redis here. Run: apt-get install redis-server")
    settings = folder / "redis.conf"
    lines = ["bind 127.0.0.1", f"port {port}", f"requirepass {password}", 'save ""', f"dir {folder}"]
    settings.write_text("\n".join(lines) + "\n")
    own(settings)
    part = Part("redis", [program, str(settings)], folder, lambda: _pongs(port, password))
    part.account = _service_account()
    return part, f"redis://:{password}@127.0.0.1:{port}/0"


def instance(number: int, port: int, folder: Path, environment: Mapping[str, str]) -> Part:
    """One server of the LangGraph API with the page, `/v1` and `/mcp` beside it."""
    command = [sys.executable, "-m", "uvicorn", "aegra_api.main:app", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--timeout-graceful-shutdown", str(GRACE)]
    command += ["--timeout-keep-alive", str(KEEP_ALIVE)]
    own_settings = {"PORT": str(port), "SERVER_URL": f"http://127.0.0.1:{port}"}
    return Part(
        f"instance-{number}",
        command,
        folder,
        lambda: answers(f"http://127.0.0.1:{port}/ready"),
        {**environment, **own_settings},
    )


def model_server(gguf: Path, name: str, port: int, folder: Path, *, threads: int, slots: int) -> Part:
    """llama.cpp's server for one model."""
    command = [sys.executable, str(HERE / "model_server.py"), str(gguf), "--name", name, "--port", str(port)]
    command += ["--threads", str(threads), "--slots", str(slots)]
    return Part("model", command, folder, lambda: answers(f"http://127.0.0.1:{port}/health"))


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own(path: Path) -> None:
    """Give a file or folder to who runs PostgreSQL and Redis, and to nobody else."""
    path.chmod(0o700 if path.is_dir() else 0o600)
    if _service_account():
        shutil.chown(path, ACCOUNT)


def answers(url: str) -> bool:
    """Whether an address says that all is well."""
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _service_account() -> str:
    """Whose PostgreSQL and Redis are; empty: the caller's.

    Raises:
        ClusterError: root asks, and there is no such account.
    """
    if os.getuid() != 0:
        return ""
    try:
        return pwd.getpwnam(ACCOUNT).pw_name
    except KeyError as error:
        raise ClusterError(f"There is no account {ACCOUNT!r}. Do not run this as root.") from error


def _wrapped(last_word: str, account: str) -> list[str]:
    """What stands before a command: whose it is, and what it is told where its parent was killed."""
    if shutil.which("setpriv") is None:
        return []
    whose = [f"--reuid={account}", f"--regid={account}", "--init-groups"] if account else []
    return ["setpriv", f"--pdeathsig={last_word}", *whose]


def _postgres_programs() -> Path:
    """The folder of PostgreSQL's programs.

    Raises:
        ClusterError: it is not installed.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    folders = [*found[::-1], *([Path(on_path).parent] if on_path else [])]
    for folder in folders:
        if (folder / "initdb").is_file():
            return folder
    raise ClusterError("There is no PostgreSQL server here. Run: apt-get install postgresql")


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _pongs(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as asked:
            asked.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            return b"+OK" in asked.recv(100)
    except OSError:
        return False
