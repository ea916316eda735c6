#!/bin/sh
# Run once by the database's image, on an empty volume: the role the program logs in as. It owns the database of
# SARA and is no superuser, so that whoever gets hold of the program gets hold of neither the server nor its files.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$(cat "$OWNER_PASSWORD_FILE")" -U "$POSTGRES_USER" -d postgres <<'SQL'
CREATE ROLE sara_owner LOGIN CREATEROLE PASSWORD :'password';
CREATE DATABASE sara OWNER sara_owner;
\connect sara
CREATE EXTENSION vector;
SQL
