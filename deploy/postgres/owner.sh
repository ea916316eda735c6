#!/bin/sh
# Run once by the database's image, on an empty volume: the role the program logs in as. It owns the database of
# SARA and is no superuser, so that whoever gets hold of the program gets hold of neither the server nor its files.
set -eu

# The image runs this only once: a role without a password would stay for good.
refused() {
    echo "owner.sh: $1; then start again on an empty volume: docker compose down, docker volume rm sara_database" >&2
    exit 1
}

# A line of its own: where it fails as another command's argument, that command runs all the same.
password=$(cat "$OWNER_PASSWORD_FILE") || refused "make $OWNER_PASSWORD_FILE readable for uid $(id -u)"
[ -n "$password" ] || refused "$OWNER_PASSWORD_FILE is empty: write the password into it"

psql -v ON_ERROR_STOP=1 -v password="$password" -U "$POSTGRES_USER" -d postgres <<'SQL'
CREATE ROLE sara_owner LOGIN CREATEROLE PASSWORD :'password';
CREATE DATABASE sara OWNER sara_owner;
\connect sara
CREATE EXTENSION vector;
SQL
