# SPDX-License-Identifier: Apache-2.0
# Where everything lies and who runs it: read by the other programs of this folder, never run alone.
# shellcheck shell=bash disable=SC2034

umask 022
checkout="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
build_directory="$(realpath -m "${MODELHOP_BUILD:-$checkout/build/release}")"
torch_version=2.11.0

say() { printf '%s\n' "modelhop: $*" >&2; }
fail() { say "$*"; exit 1; }

# PostgreSQL refuses to run as root: there, everything that starts a server runs as the user postgres.
server_user="$(id -un)"
if [ "$(id -u)" = 0 ]; then server_user=postgres; fi

as_server_user() {
  if [ "$(id -un)" = "$server_user" ]; then "$@"; else runuser -u "$server_user" -- "$@"; fi
}

# May the server's user enter this folder (or, where it is not yet made, the nearest one above it)?
can_enter() {
  local folder="$1"
  while [ ! -d "$folder" ]; do folder="$(dirname "$folder")"; done
  (cd / && as_server_user test -x "$folder" -a -r "$folder")
}

# The server modelhop is built for: the one CMake found, before that Debian 12's.
find_pg_config() {
  pg_config=/usr/lib/postgresql/15/bin/pg_config
  if [ -e "$build_directory/CMakeCache.txt" ]; then
    pg_config="$(sed -n 's/^PG_CONFIG:FILEPATH=//p' "$build_directory/CMakeCache.txt")"
  fi
}

# The private server tree and its clusters lie in the build folder, or below /var/tmp where the server's user cannot enter
# the checkout (root's home, for example).
find_server_place() {
  if can_enter "$build_directory"; then
    server_place="$build_directory/server"
  else
    server_place="/var/tmp/modelhop-$(id -u)-$(printf '%s' "$build_directory" | sha256sum | cut -c1-12)"
  fi
  tree="$server_place/tree"
  bin="$tree$("$pg_config" --bindir 2>/dev/null || true)"
  cluster="$server_place/cluster"
}

# Makes a folder that must be ours: a stranger's folder of that name is refused. The second argument is its owner.
make_own_folder() {
  local folder="$1" owner="${2:-$(id -un)}" mode="${3:-755}"
  mkdir -p "$(dirname "$folder")"
  if mkdir -m "$mode" "$folder" 2>/dev/null; then
    if [ "$owner" != "$(id -un)" ]; then chown "$owner" "$folder"; fi
  fi
  if [ -L "$folder" ] || [ "$(stat -c %U "$folder")" != "$owner" ]; then
    fail "$folder belongs to another user; remove it or set MODELHOP_BUILD to another folder"
  fi
}

# Socket paths end at 107 bytes: a long one is replaced by a short folder in /tmp.
socket_folder_of() {
  local folder="$1.socket"
  if [ "${#folder}" -gt 80 ]; then
    folder="/tmp/modelhop-$(id -u)-$(printf '%s' "$1" | sha256sum | cut -c1-12)"
  fi
  printf '%s' "$folder"
}

libtorch_cache() {
  if [ -n "${MODELHOP_CACHE:-}" ]; then printf '%s' "$MODELHOP_CACHE"
  elif [ "$(id -u)" = 0 ]; then printf '/var/cache/modelhop'
  else printf '%s/modelhop' "${XDG_CACHE_HOME:-$HOME/.cache}"
  fi
}

# Starts a cluster: folder, then lines of postgresql.conf on standard input. Nothing happens where it already runs.
start_cluster() {
  local folder="$1" socket log="$1.log"
  socket="$(socket_folder_of "$folder")"
  if cluster_runs "$folder"; then return 0; fi
  make_own_folder "$folder" "$server_user" 700
  make_own_folder "$socket" "$server_user" 700
  if [ ! -e "$folder/PG_VERSION" ]; then
    as_server_user "$bin/initdb" --pgdata="$folder" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
      --no-sync --no-instructions >/dev/null
  fi
  { printf "listen_addresses = ''\nunix_socket_directories = '%s'\n" "$socket"
    printf "log_min_messages = warning\ncluster_name = 'modelhop'\n"
    cat
  } | as_server_user tee "$folder/modelhop.conf" >/dev/null
  if ! grep -q "^include 'modelhop.conf'" "$folder/postgresql.conf"; then
    printf "include 'modelhop.conf'\n" >>"$folder/postgresql.conf"
  fi
  if [ ! -e "$log" ]; then : >"$log"; chown "$server_user" "$log"; fi
  as_server_user "$bin/pg_ctl" start --pgdata="$folder" --log="$log" --wait --silent </dev/null >/dev/null ||
    { tail -n 20 "$log" >&2; fail "the cluster in $folder did not start"; }
}

cluster_runs() { [ -e "$1/PG_VERSION" ] && as_server_user "$bin/pg_ctl" status --pgdata="$1" >/dev/null 2>&1; }

stop_cluster() {
  if cluster_runs "$1"; then as_server_user "$bin/pg_ctl" stop --pgdata="$1" --mode=fast --wait --silent; fi
}

# The client's settings for a cluster's socket.
use_cluster() {
  PGHOST="$(socket_folder_of "$1")"
  export PGHOST PGUSER=postgres
  unset PGPORT PGHOSTADDR PGPASSWORD PGSERVICE PGOPTIONS PGDATABASE PGDATA
}

find_pg_config
find_server_place
