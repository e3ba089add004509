#!/bin/sh
# Run once by PostgreSQL's image, on an empty volume: a role and a database a service, which can enter no other, as infra/native/postgres.ts
# makes them. DATABASES and DATABASE_PASSWORD come from infra/compose.postgres.yaml.
set -eu
for name in $DATABASES; do
  psql --set ON_ERROR_STOP=1 --set name="$name" --set password="$DATABASE_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
create role :"name" login password :'password';
create database :"name" owner :"name";
revoke all on database :"name" from public;
SQL
done
