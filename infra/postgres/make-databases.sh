#!/bin/sh
# PostgreSQL's image runs this once, on an empty volume. Each service gets a role and a database, and its role can enter no other database,
# as infra/native/postgres.ts makes them. DATABASES and DATABASE_PASSWORD come from infra/compose.postgres.yaml.
set -eu
for name in $DATABASES; do
  psql --set ON_ERROR_STOP=1 --set name="$name" --set password="$DATABASE_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
create role :"name" login password :'password';
create database :"name" owner :"name";
revoke all on database :"name" from public;
SQL
done
