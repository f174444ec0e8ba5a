#!/bin/sh
# Makes this standby the primary. Run it on the standby, as a superuser of PostgreSQL, with the PG* variables set
# (PGHOST, PGPORT, PGUSER), after the former primary has been stopped or cut off for good.
#
# A standby inherits synchronous_standby_names from its primary. Left in place, every commit of the promoted server
# would wait for a standby that does not exist; so it is cleared first. Set it again when the new standby streams.
set -eu

ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "${PGDATABASE:-postgres}" -c "$1"; }

if [ "$(ask 'SELECT pg_is_in_recovery()')" != t ]; then
  echo "这台服务器不是备库,无需提升。" >&2
  exit 1
fi
ask "ALTER SYSTEM SET synchronous_standby_names = ''"
ask "SELECT pg_reload_conf()" >/dev/null
if [ "$(ask 'SELECT pg_promote(true, 60)')" != t ]; then
  echo "60 秒内没有完成提升,请查看 PostgreSQL 日志。" >&2
  exit 1
fi
if [ -n "$(ask 'SHOW synchronous_standby_names')" ]; then
  echo "synchronous_standby_names 仍不为空(可能写在启动命令行上):提交会一直等待,请清除后重启。" >&2
  exit 1
fi
ask "SET statement_timeout = '10s'; CREATE TEMP TABLE promoted (at timestamptz); INSERT INTO promoted VALUES (now())"
echo "已提升为主库,提交正常。请尽快建立新的备库,再设置 synchronous_standby_names。"
