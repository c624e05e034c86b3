# PostgreSQL, RabbitMQ and Redis of this clone on loopback: own ports, own data, nothing enabled system-wide.
# There are two instances: `main` for the platform, `test` for the tests; only their folder and their ports differ.
# shellcheck shell=bash disable=SC2034 # names set here and used in the other parts

PG_START_SECONDS=60 REDIS_START_SECONDS=30 RABBIT_START_SECONDS=120
PG_CONNECTIONS=200

infra_up() { # infra_up pg mq redis (any of them)
  local service
  for service in "$@"; do
    if "${service}_running"; then
      note "$("${service}_name") is up on 127.0.0.1:${PORT[$(port_of "$service")]}"
      continue
    fi
    claim_ports_of "$service"
    HINT="Its own log is under $SERVERS/$INSTANCE/$service."
    step "$("${service}_name") on 127.0.0.1:${PORT[$(port_of "$service")]}" "${service}_start"
  done
}

infra_down() { # infra_down pg mq redis: stops what runs, keeps the data
  local service
  for service in "$@"; do
    if "${service}_running"; then step "$("${service}_name") stopped" "${service}_stop"; fi
  done
}

infra_status() {
  local service
  for service in "$@"; do
    if "${service}_running"; then
      good "$("${service}_name") up on 127.0.0.1:${PORT[$(port_of "$service")]}"
    else
      note "$("${service}_name") down"
    fi
  done
}

# use_instance main|test
INSTANCE=main
use_instance() { INSTANCE=$1; }
port_of() { # pg -> PG, or TEST_PG for the test instance; mq -> MQ, ...
  local name=${1^^}
  if [ "$INSTANCE" = test ]; then echo "TEST_$name"; else echo "$name"; fi
}
port() { echo "${PORT[$(port_of "$1")]}"; }
home_of() { echo "$SERVERS/$INSTANCE/$1"; }
claim_ports_of() {
  case $1 in
    pg) claim_port "$(port_of pg)" PostgreSQL ;;
    redis) claim_port "$(port_of redis)" Redis ;;
    mq)
      claim_port "$(port_of mq)" RabbitMQ
      claim_port "$(port_of mq_dist)" "RabbitMQ's distribution"
      claim_port "$(port_of mq_mgmt)" "RabbitMQ's management"
      epmd_running || claim_port "$(port_of epmd)" epmd
      ;;
  esac
}

# PostgreSQL refuses to run as root: then every server runs as nobody.
as_server() {
  if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"; else "$@"; fi
}
give_to_server() { if [ "$(id -u)" = 0 ]; then chown -R nobody:nogroup "$1"; fi; }

# pid_is PID TEXT: this process lives and TEXT is in its command line. A pid file alone proves nothing after a reboot.
pid_is() {
  [[ ${1:-} =~ ^[0-9]+$ ]] && [ -r "/proc/$1/cmdline" ] && tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -qF -- "$2"
}
first_line() { if [ -r "$1" ]; then head -n 1 "$1"; fi; }

# --- PostgreSQL -------------------------------------------------------------------------------------------------------
pg_name() { echo PostgreSQL; }
pg_running() { pid_is "$(first_line "$(home_of pg)/data/postmaster.pid")" "$(home_of pg)/data"; }
pg_start() {
  local home options
  home=$(home_of pg)
  use_unpacked
  mkdir -p "$home"
  pg_forget "$home"
  if [ "$INSTANCE" = test ] && [ -z "${PG_DURABLE:-}" ] && has_memory; then pg_into_memory "$home"; fi
  [ -s "$home/data/PG_VERSION" ] || pg_create "$home"
  give_to_server "$home"
  # no unix socket: its path may be too long; jit off: the unpacked server has no LLVM
  options="-h 127.0.0.1 -p $(port pg) -c unix_socket_directories='' -c jit=off -c max_connections=$PG_CONNECTIONS"
  # tests survive a killed process, not a power cut
  if [ "$INSTANCE" = test ] && [ -z "${PG_DURABLE:-}" ]; then options+=" -c fsync=off -c full_page_writes=off -c max_wal_size=$PG_TEST_WAL"; fi
  as_server "$(pg_bin)/pg_ctl" -D "$home/data" -l "$home/pg.log" -w -t "$PG_START_SECONDS" -o "$options" start
  pg_database
}
# Into data.new first: an interrupted initdb leaves a folder that looks whole.
pg_create() {
  local data=$1/data
  if [ -L "$data" ]; then data=$(readlink "$data"); fi
  rm -rf "$data.new" "$data"
  (umask 077 && cp "$INFRA/secret" "$1/pw")
  give_to_server "$1"
  as_server "$(pg_bin)/initdb" -D "$data.new" -U sentiric -A scram-sha-256 --pwfile="$1/pw" -E UTF8 --locale=C.UTF-8
  rm -f "$1/pw"
  mv "$data.new" "$data"
}

# The tests make and drop hundreds of databases of some 300 files each; a disk's file system gets slower with every file that it has just forgotten
# (ext4 does not give an inode away again at once and searches for older ones). So their data lies in memory where there is enough of it, and is gone
# when the server stops.
MEMORY=/dev/shm MEMORY_NEED_MB=2000 MEMORY_LEFT_MB=4000 PG_TEST_WAL=256MB
has_memory() {
  [ -d "$MEMORY" ] && [ -w "$MEMORY" ] && [ "$(df -Pm "$MEMORY" | awk 'NR==2 {print $4}')" -ge "$MEMORY_NEED_MB" ] &&
    [ "$(awk '/^MemAvailable:/ {print int($2 / 1024)}' /proc/meminfo)" -ge "$((MEMORY_NEED_MB + MEMORY_LEFT_MB))" ]
}
pg_into_memory() {
  local folder
  folder=$(mktemp -d "$MEMORY/sentiric-pg-XXXXXX")
  give_to_server "$folder"
  rm -rf "$1/data"
  ln -s "$folder/data" "$1/data"
}
pg_forget() {
  if [ -L "$1/data" ]; then rm -rf "$(dirname "$(readlink "$1/data")")" "$1/data"; fi
}
pg_database() {
  pg_ask "select 1 from pg_database where datname='sentiric'" | grep -q 1 || pg_ask 'create database sentiric'
}
pg_ask() {
  PGPASSWORD=$(<"$INFRA/secret") "$(pg_bin)/psql" -qtA -h 127.0.0.1 -p "$(port pg)" -U sentiric postgres -c "$1"
}
pg_stop() {
  use_unpacked
  as_server "$(pg_bin)/pg_ctl" -D "$(home_of pg)/data" -m fast -w -t "$PG_START_SECONDS" stop
  pg_forget "$(home_of pg)"
}

# --- Redis ------------------------------------------------------------------------------------------------------------
redis_name() { echo Redis; }
redis_running() { pid_is "$(first_line "$(home_of redis)/redis.pid")" "redis-server 127.0.0.1:$(port redis)"; }
redis_start() {
  local home
  home=$(home_of redis)
  use_unpacked
  mkdir -p "$home"
  redis_settings "$home" >"$home/redis.conf"
  chmod 600 "$home/redis.conf"
  give_to_server "$home"
  as_server "$(redis_bin)" "$home/redis.conf"
  wait_for_port "$(port redis)" "$REDIS_START_SECONDS"
}
redis_settings() {
  printf '%s\n' "bind 127.0.0.1" "port $(port redis)" "dir $1" "daemonize yes" "pidfile $1/redis.pid" "logfile $1/redis.log" \
    'save ""' "appendonly yes" "appendfsync everysec" "requirepass $(<"$INFRA/secret")"
}
redis_stop() { stop_pid "$(first_line "$(home_of redis)/redis.pid")" "redis-server"; }

# --- RabbitMQ ---------------------------------------------------------------------------------------------------------
mq_name() { echo RabbitMQ; }
mq_running() { pid_is "$(first_line "$(home_of mq)/pid")" "$(home_of mq)"; }
mq_start() {
  local home
  home=$(home_of mq)
  use_unpacked
  # the first boot makes the user: one that was interrupted starts from nothing
  [ -e "$home/created" ] || rm -rf "$home/mnesia"
  mkdir -p "$home/log" "$home/mnesia" "$home/gen"
  rabbit_settings "$home"
  give_to_server "$home"
  rabbit_environment "$home"
  cd "$home" || return 1
  as_server epmd -daemon
  as_server "$(mq_bin)/rabbitmq-server" -detached
  if ! wait_for_port "$(port mq)" "$RABBIT_START_SECONDS"; then
    tail -n 20 "$home"/log/*.log
    as_server epmd -kill
    return 1
  fi
  touch "$home/created"
}
rabbit_settings() {
  [ -s "$1/.erlang.cookie" ] || random_text 24 >"$1/.erlang.cookie"
  chmod 400 "$1/.erlang.cookie"
  printf '%s\n' "listeners.tcp.default = 127.0.0.1:$(port mq)" "management.tcp.ip = 127.0.0.1" "management.tcp.port = $(port mq_mgmt)" \
    "default_user = sentiric" "default_pass = $(<"$INFRA/secret")" "loopback_users = none" >"$1/rabbitmq.conf"
  chmod 600 "$1/rabbitmq.conf"
  if [ "${SENTIRIC_MQ_MANAGEMENT:-0}" = 1 ]; then echo '[rabbitmq_management].'; else echo '[].'; fi >"$1/enabled_plugins"
}
# @localhost: no look-up of the machine's name. DIST_PORT: its default is the node port + 20000. epmd is started by hand
# and everything is bound to loopback: by default these three listen on all addresses.
rabbit_environment() {
  export HOME=$1 LC_ALL=C.UTF-8 RABBITMQ_NODENAME=sentiric@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT RABBITMQ_DIST_PORT \
    RABBITMQ_MNESIA_BASE=$1/mnesia RABBITMQ_LOG_BASE=$1/log RABBITMQ_PID_FILE=$1/pid RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE=$1/rabbitmq.conf \
    RABBITMQ_ENABLED_PLUGINS_FILE=$1/enabled_plugins RABBITMQ_GENERATED_CONFIG_DIR=$1/gen ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
  RABBITMQ_NODE_PORT=$(port mq) RABBITMQ_DIST_PORT=$(port mq_dist) ERL_EPMD_PORT=$(port epmd)
}
epmd_running() { port_open "$(port epmd)"; }
mq_stop() {
  local home
  home=$(home_of mq)
  use_unpacked
  rabbit_environment "$home"
  cd "$home" || return 1
  as_server "$(mq_bin)/rabbitmqctl" -q stop "$home/pid" || stop_pid "$(first_line "$home/pid")" "$home"
  as_server epmd -kill || true
}

# stop_pid PID TEXT [SECONDS]: asks, waits, then insists; only when the process is the one that TEXT names.
STOP_SECONDS=10
stop_pid() {
  local i pid=$1 text=$2 seconds=${3:-$STOP_SECONDS}
  pid_is "$pid" "$text" || return 0
  kill -TERM "$pid" 2>/dev/null || true
  for ((i = 0; i < seconds * 10; i++)); do
    pid_is "$pid" "$text" || return 0
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  sleep 0.2
}

random_text() { head -c "$1" /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# The addresses of the current instance.
pg_address() { echo "Host=127.0.0.1;Port=$(port pg);Database=sentiric;Username=sentiric;Password=$(<"$INFRA/secret")"; }
mq_address() { echo "amqp://sentiric:$(<"$INFRA/secret")@127.0.0.1:$(port mq)/"; }
redis_address() { echo "127.0.0.1:$(port redis),password=$(<"$INFRA/secret"),abortConnect=false"; }
