"""Accounts that may do more than read: refused by every command with a reason, let in when told so."""

import pytest
from targets import attacked_server
from typer.testing import CliRunner

from critiql.cli.main import app
from critiql.cli.screen import exit_codes

pytestmark = pytest.mark.server
CASES = [
    ("postgres", "postgres:admin-pass", "is a superuser", "critiql_allow_superuser=1"),
    ("postgres", "files:files-pass", "pg_read_server_files", "critiql_allow_superuser=1"),
    ("mariadb", "writer:writer-pass", "INSERT on", "critiql_allow_writer=1"),
    ("mariadb", "files:files-pass", "FILE on", "critiql_allow_writer=1"),
]


@pytest.mark.parametrize("command", ["run", "check", "explain"])
@pytest.mark.parametrize(("kind", "account", "reason", "override"), CASES)
def test_more_rights_than_reading_are_refused_unless_told_so(
    command: str, kind: str, account: str, reason: str, override: str
) -> None:
    url = attacked_server(kind).url("attacked", account)
    refused = CliRunner().invoke(app, [command, "SELECT count(*) FROM orders", "--db", url])
    assert refused.exit_code == exit_codes.DATABASE, refused.output
    assert reason in refused.stderr
    assert override in refused.stderr
    assert "-pass" not in refused.output
    told = CliRunner().invoke(app, [command, "SELECT count(*) FROM orders", "--db", f"{url}?{override}"])
    assert told.exit_code == exit_codes.OK, told.output
