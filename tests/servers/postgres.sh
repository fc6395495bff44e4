#!/bin/bash
# A throw-away PostgreSQL on loopback, owned by an unprivileged user.
#   postgres.sh start          prints FOLDER and PORT; exits 77 where no server is installed
#   postgres.sh sql FOLDER DB  runs the SQL on standard input as the superuser
#   postgres.sh stop FOLDER    stops it and removes the folder
set -euo pipefail
binaries=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
[ -n "$binaries" ] || binaries=$(dirname "$(command -v initdb 2>/dev/null || echo /none/initdb)")
[ -x "$binaries/initdb" ] || { echo "no PostgreSQL server here: apt-get install postgresql" >&2; exit 77; }
as_server() {
  if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else "$@"; fi
}
script=$(realpath "$0")
cd /
case "$1" in
start)
  folder=$(mktemp -d /tmp/critiql-postgres.XXXXXX)
  [ "$(id -u)" = 0 ] && chown postgres "$folder"
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  printf 'admin-pass' > "$folder/password"; chmod a+r "$folder/password"
  as_server "$binaries/initdb" -D "$folder/data" -U postgres --auth-local=trust --auth-host=scram-sha-256 \
    --pwfile="$folder/password" --no-sync -E UTF8 --locale=C.UTF-8 > "$folder/initdb.log" 2>&1
  as_server "$binaries/pg_ctl" -D "$folder/data" -l "$folder/data/server.log" -w -s start \
    -o "-h 127.0.0.1 -p $port -k $folder -c fsync=off -c shared_buffers=32MB -c jit=off" > /dev/null 2>&1
  echo "$port" > "$folder/port"
  # stopped with the process that asked for it, however that ends
  setsid bash -c 'while kill -0 "$1" 2> /dev/null; do sleep 1; done; [ ! -d "$3" ] || exec "$2" stop "$3"' \
    _ "$PPID" "$script" "$folder" > /dev/null 2>&1 < /dev/null &
  echo "$folder $port"
  ;;
sql)
  "$binaries/psql" -q -X -v ON_ERROR_STOP=1 -h "$2" -p "$(cat "$2/port")" -U postgres -At "$3"
  ;;
stop)
  as_server "$binaries/pg_ctl" -D "$2/data" -m immediate -w -s stop || true
  rm -rf "$2"
  ;;
esac
