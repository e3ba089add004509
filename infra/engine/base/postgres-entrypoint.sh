#!/bin/bash
# Works like the entry point of PostgreSQL's image: the first start makes the cluster, then runs the files in
# /docker-entrypoint-initdb.d over a socket.
set -euo pipefail
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
  # shellcheck disable=SC2086 -- several options
  initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" --pwfile=<(echo "$POSTGRES_PASSWORD") ${POSTGRES_INITDB_ARGS:-}
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  PGUSER=$POSTGRES_USER pg_ctl --pgdata="$PGDATA" --wait start --options="$(printf '%q ' "${@:2}" -c listen_addresses=)"
  for script in /docker-entrypoint-initdb.d/*.sh; do
    PGHOST=/var/run/postgresql PGPASSWORD=$POSTGRES_PASSWORD bash "$script"
  done
  pg_ctl --pgdata="$PGDATA" --wait --mode=fast stop
fi
exec "$@"
