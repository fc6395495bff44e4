#!/bin/bash
# A throw-away MariaDB on loopback, owned by an unprivileged user.
#   mariadb.sh start          prints FOLDER and PORT; exits 77 where no server is installed
#   mariadb.sh sql FOLDER DB  runs the SQL on standard input as the administrator
#   mariadb.sh stop FOLDER    stops it and removes the folder
set -euo pipefail
export PATH="$PATH:/usr/sbin:/usr/local/sbin"
command -v mariadbd > /dev/null || { echo "no MariaDB server here: apt-get install mariadb-server" >&2; exit 77; }
as_server() {
  if [ "$(id -u)" = 0 ]; then setpriv --reuid=mysql --regid=mysql --init-groups "$@"; else "$@"; fi
}
script=$(realpath "$0")
cd /
case "$1" in
start)
  folder=$(mktemp -d /tmp/critiql-mariadb.XXXXXX)
  [ "$(id -u)" = 0 ] && chown mysql "$folder"
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  as_server mariadb-install-db --no-defaults --datadir="$folder/data" --skip-test-db \
    --auth-root-authentication-method=normal > "$folder/install.log" 2>&1
  as_server setsid mariadbd --no-defaults --datadir="$folder/data" --bind-address=127.0.0.1 --port="$port" \
    --socket="$folder/s.sock" --pid-file="$folder/data/server.pid" --tmpdir="$folder/data" --secure-file-priv= \
    --skip-name-resolve --innodb-buffer-pool-size=32M --innodb-flush-log-at-trx-commit=0 \
    > "$folder/server.log" 2>&1 < /dev/null &
  for _ in $(seq 100); do
    mariadb-admin --no-defaults -S "$folder/s.sock" -u root ping > /dev/null 2>&1 && break
    sleep 0.1
  done
  mariadb-admin --no-defaults -S "$folder/s.sock" -u root ping > /dev/null
  # stopped with the process that asked for it, however that ends
  setsid bash -c 'while kill -0 "$1" 2> /dev/null; do sleep 1; done; [ ! -d "$3" ] || exec "$2" stop "$3"' \
    _ "$PPID" "$script" "$folder" > /dev/null 2>&1 < /dev/null &
  echo "$folder $port"
  ;;
sql)
  mariadb --no-defaults -S "$2/s.sock" -u root -N -B --default-character-set=utf8mb4 "$3"
  ;;
stop)
  pid=$(cat "$2/data/server.pid" 2> /dev/null || true)
  timeout 10 mariadb-admin --no-defaults -S "$2/s.sock" -u root shutdown > /dev/null 2>&1 || true
  for _ in $(seq 50); do
    [ -n "$pid" ] && kill -0 "$pid" 2> /dev/null || break
    sleep 0.1
  done
  [ -n "$pid" ] && kill -9 "$pid" 2> /dev/null || true # a statement that does not look at its time limit
  rm -rf "$2"
  ;;
esac
