#!/bin/sh
# Prepares the copy of a base backup to go back to an instant: sh recover-to.sh DATA ARCHIVE INSTANT
# e.g. sh recover-to.sh /var/lib/postgresql/back /var/lib/postgresql/archive '2026-11-23 10:00:00+08'
# Run it as the user who owns DATA, before that server is started.
#
# A copy brings its server's settings along. Two of them would harm: primary_conninfo (it would follow the server it came
# from) and synchronous_standby_names (every commit would wait for ever for a standby that it does not have).
set -eu

if [ "$#" -ne 3 ]; then
  echo "用法:sh recover-to.sh 数据目录 归档目录 时刻" >&2
  exit 2
fi
data=$1 archive=$2 instant=$3
if [ ! -f "$data/PG_VERSION" ] || [ -f "$data/postmaster.pid" ]; then
  echo "$data 不是基础备份的副本,或已有服务器在其上运行。" >&2
  exit 1
fi
if [ -z "$(ls "$archive" 2>/dev/null)" ]; then
  echo "归档目录 $archive 不存在或是空的。" >&2
  exit 1
fi
rm -f "$data/standby.signal"
: >"$data/recovery.signal"
# What stands last in this file is what counts, also before conf.d and what ALTER SYSTEM once wrote.
cat >>"$data/postgresql.auto.conf" <<END
restore_command = 'cp "$archive/%f" "%p"'
recovery_target_time = '$instant'
recovery_target_action = promote
primary_conninfo = ''
synchronous_standby_names = ''
END
echo "已准备好:启动这台服务器,它会回到 $instant 并接受写入;然后运行 flask ops verify。"
