# ./sentiric up, down, demo, cli: builds the host, starts it (one process, or one per role) and stops it again.
# A process is ours when the pid in .run/<role>.pid has this clone's host in its command line.
# shellcheck shell=bash disable=SC2034 # names set here and used in the other parts

ROLES=(gateway write read sip media agent stt tts)
declare -A ROLE_PORT=([gateway]=HTTP [write]=WRITE [read]=READ [sip]=SIP_HTTP [media]=MEDIA [agent]=AGENT [stt]=STT [tts]=TTS)
HOST_DLL=$ROOT/src/Apps/Sentiric.Host/bin/Release/net10.0/Sentiric.Host.dll
CLI_DLL=$ROOT/src/Apps/Sentiric.Cli/bin/Release/net10.0/Sentiric.Cli.dll
PHONE_DLL=$ROOT/src/Apps/Sentiric.Phone/bin/Release/net10.0/Sentiric.Phone.dll
READY_PATH=/health/ready READY_SECONDS=120
ROLE_LOG_KEEP_BYTES=20000000

up() { # up [--full] [--split] [--foreground]
  local mode foreground=0 servers=(pg)
  mode=$(up_mode "$@") || exit 2
  case " $* " in *' --foreground '*) foreground=1 ;; esac
  [ "$mode" = embedded ] || servers=(pg mq redis)
  [ "$foreground$mode" != 1split ] || usage_error up "--foreground shows one process; --split starts one per role"
  setup "${servers[@]}"
  if platform_running; then already_up "$mode" && return 0; fi
  use_instance main
  infra_up "${servers[@]}"
  build_platform
  claim_platform_ports
  platform_environment "$mode"
  if [ "$foreground" = 1 ]; then run_in_foreground; fi
  start_platform "$mode"
  show_addresses
}

up_mode() {
  local mode=embedded arg
  for arg in "$@"; do
    case $arg in
      --full) [ "$mode" = split ] || mode=full ;;
      --split) mode='split' ;;
      --foreground) ;;
      *) usage_error up "unknown option $arg" ;;
    esac
  done
  echo "$mode"
}

# True when everything of this mode runs. A role that died is started again by going on.
already_up() {
  local running
  running=$(cat "$RUN/mode" 2>/dev/null || echo embedded)
  [ "$running" = "$1" ] || die "already up, but as '$running' instead of '$1'" "./sentiric down first."
  [ "$1" != split ] || all_roles_running || return 1
  good "already up"
  platform_environment "$running"
  show_addresses
}
all_roles_running() {
  local role
  for role in "${ROLES[@]}"; do role_running "$role" || return 1; done
}

# --- build ------------------------------------------------------------------------------------------------------------
build_platform() {
  build_once platform build_apps "$HOST_DLL" src
}
build_apps() { dotnet_build scripts/apps.slnf; }
# no build servers left behind: they would outlive `down`. The compiler runs for a minute or two: counting what is hot in it costs more than
# it ever earns there, a third of the processor time of a whole build.
dotnet_build() {
  DOTNET_TieredPGO=0 MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 dotnet build "$ROOT/$1" -c Release -v quiet -clp:NoSummary
}

# build_once STAMP FUNCTION OUTPUT FOLDERS...: builds unless the sources are those of the last good build.
build_once() {
  local stamp=$RUN/$1.built build=$2 output=$3 sum
  shift 3
  sum=$(sources_sum "$@")
  if [ -e "$output" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ]; then
    good "built ${DIM}nothing changed since${PLAIN}"
    return 0
  fi
  HINT="The compiler's message is above."
  step "built (dotnet build -c Release)" "$build"
  echo "$sum" >"$stamp"
}
# Names, sizes and times of all sources: a changed, new or deleted file changes the sum.
sources_sum() {
  (
    cd "$ROOT" || exit 1
    find "$@" Directory.*.props global.json .editorconfig -type d \( -name bin -o -name obj -o -name node_modules \) -prune \
      -o -type f -printf '%p %s %T@\n' | LC_ALL=C sort | sha256sum | cut -d' ' -f1
  )
}

# --- settings ---------------------------------------------------------------------------------------------------------
claim_platform_ports() {
  local role
  for role in "${ROLES[@]}"; do role_running "$role" || claim_port "${ROLE_PORT[$role]}" "the $role role"; done
  role_running sip || claim_port SIP SIP
}

# platform_environment embedded|full|split: everything that the host and the CLI are told.
platform_environment() {
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 ASPNETCORE_ENVIRONMENT=${ASPNETCORE_ENVIRONMENT:-Production}
  export ConnectionStrings__Postgres Urls Sip__Listen Media__PortRange Media__Address=127.0.0.1 Gateway__AdminKeyFile=$INFRA/api-key
  export Privacy__MasterKeyFile=$INFRA/master-key
  [ -s "$INFRA/master-key" ] || (umask 077 && printf 'first:%s\n' "$(head -c 32 /dev/urandom | base64)" >"$INFRA/master-key")
  ConnectionStrings__Postgres=$(pg_address)
  Urls=http://127.0.0.1:${PORT[HTTP]}
  Sip__Listen=udp://127.0.0.1:${PORT[SIP]},tcp://127.0.0.1:${PORT[SIP]}
  Media__PortRange=${PORT[RTP_FROM]}-${PORT[RTP_TO]}
  export Recording__Folder=$INFRA/recordings SENTIRIC_RECORDINGS=$INFRA/recordings Demo__Seed=${Demo__Seed:-true}
  speech_environment
  export SENTIRIC_URL=$Urls SENTIRIC_API_KEY SENTIRIC_SIP=127.0.0.1:${PORT[SIP]} SENTIRIC_PHONE=$PHONE_DLL
  SENTIRIC_API_KEY=$(<"$INFRA/api-key")
  unset ConnectionStrings__Rabbit ConnectionStrings__Redis
  if [ "$1" = embedded ]; then return 0; fi
  export ConnectionStrings__Rabbit ConnectionStrings__Redis
  ConnectionStrings__Rabbit=$(mq_address)
  ConnectionStrings__Redis=$(redis_address)
  if [ "$1" = split ]; then services_environment; fi
}

speech_environment() {
  export Speech__Espeak Speech__NativeFolder=$INFRA/native Speech__ModelFolder=$ROOT/models
  Speech__Espeak=$(espeak_bin)
  unset Speech__EspeakLibraryPath Speech__EspeakDataPath
  if is_unpacked "$Speech__Espeak"; then
    export Speech__EspeakLibraryPath
    Speech__EspeakLibraryPath=$(library_path)
    # A machine that has the data without the program keeps them where espeak-ng looks by itself; they are not unpacked then.
    if [ -d "$(UNPACKED_LIBS)/espeak-ng-data" ]; then export Speech__EspeakDataPath; Speech__EspeakDataPath=$(UNPACKED_LIBS); fi
  fi
}

services_environment() {
  export Services__Write=http://127.0.0.1:${PORT[WRITE]} Services__Read=http://127.0.0.1:${PORT[READ]} Services__Sip=http://127.0.0.1:${PORT[SIP_HTTP]} \
    Services__Media=http://127.0.0.1:${PORT[MEDIA]} Services__Agent=http://127.0.0.1:${PORT[AGENT]} Services__Stt=http://127.0.0.1:${PORT[STT]} \
    Services__Tts=http://127.0.0.1:${PORT[TTS]} Services__Key
  Services__Key=$(<"$INFRA/secret")
}

# --- processes --------------------------------------------------------------------------------------------------------
start_platform() {
  local role
  echo "$1" >"$RUN/mode"
  if [ "$1" != split ]; then
    HINT="The host's log is $RUN/log/host.log."
    step "host up (all roles in one process)" start_and_wait host
    return 0
  fi
  for role in "${ROLES[@]}"; do role_running "$role" || start_role "$role"; done
  for role in "${ROLES[@]}"; do
    HINT="The role's log is $RUN/log/$role.log."
    step "$role up on 127.0.0.1:${PORT[${ROLE_PORT[$role]}]}" wait_ready "$role"
  done
}

start_and_wait() {
  start_role "$1"
  wait_ready "$1"
}

# start_role host|ROLE: `host` is all of them in one process.
start_role() {
  local role=$1 log=$RUN/log/$1.log
  if [ -s "$log" ] && [ "$(stat -c %s "$log")" -gt "$ROLE_LOG_KEEP_BYTES" ]; then mv "$log" "$log.old"; fi
  [ "$role" = host ] || Urls=http://127.0.0.1:${PORT[${ROLE_PORT[$role]}]}
  cd "$ROOT" || return 1
  setsid nohup dotnet "$HOST_DLL" --roles "$(roles_csv "$role")" >>"$log" 2>&1 </dev/null 8>&- 9>&- &
  echo $! >"$RUN/$role.pid"
}
roles_csv() { if [ "$1" = host ]; then (IFS=, && echo "${ROLES[*]}"); else echo "$1"; fi; }
role_port() { if [ "$1" = host ]; then echo "${PORT[HTTP]}"; else echo "${PORT[${ROLE_PORT[$1]}]}"; fi; }

wait_ready() {
  local i status='' role=$1
  for ((i = 0; i < READY_SECONDS * 5; i++)); do
    status=$(http_status "$(role_port "$role")" "$READY_PATH")
    if [ "$status" = 200 ]; then return 0; fi
    # A process that was forked just now does not carry the host's command line yet.
    if ((i > 10)) && ! role_running "$role"; then
      echo "$role ended while starting; the end of its log:"
      tail -n "$LOG_TAIL_LINES" "$RUN/log/$role.log"
      return 1
    fi
    sleep 0.2
  done
  echo "$role is not ready after $READY_SECONDS s (GET $READY_PATH says ${status:-nothing}); the end of its log:"
  tail -n "$LOG_TAIL_LINES" "$RUN/log/$role.log"
  return 1
}

role_running() { pid_is "$(first_line "$RUN/$1.pid")" "$HOST_DLL"; }
platform_running() {
  local role
  for role in host "${ROLES[@]}"; do if role_running "$role"; then return 0; fi; done
  return 1
}

run_in_foreground() {
  echo embedded >"$RUN/mode"
  show_addresses
  note "Ctrl-C stops the host; ./sentiric down stops the servers"
  echo $$ >"$RUN/host.pid"
  cd "$ROOT" || return 1
  exec dotnet "$HOST_DLL" --roles "$(roles_csv host)" 9>&-
}

show_addresses() {
  say "  console   $BOLD$SENTIRIC_URL$PLAIN"
  say "  SIP       sip:127.0.0.1:${PORT[SIP]} (UDP and TCP)"
  say "  API key   $INFRA/api-key"
  say "  logs      $RUN/log/"
}

# shellcheck disable=SC2120 # its arguments come from the command line
down() { # down [--platform]
  local role keep_servers=0
  case ${1:-} in
    '' | --infra) ;;
    --platform) keep_servers=1 ;;
    *) usage_error down "unknown option $1" ;;
  esac
  prepare_folders
  for role in gateway sip agent media stt tts read write host; do
    if role_running "$role"; then step "$role stopped" stop_pid "$(first_line "$RUN/$role.pid")" "$HOST_DLL"; fi
    rm -f "$RUN/$role.pid"
  done
  rm -f "$RUN/mode"
  if [ "$keep_servers" = 1 ]; then return 0; fi
  use_instance test
  infra_down mq redis pg
  use_instance main
  infra_down mq redis pg
  good "down; the data stays under ${SERVERS#"$ROOT/"}"
}

wipe() { # wipe [--yes]
  local answer
  case ${1:-} in '' | --yes) ;; *) usage_error wipe "unknown option $1" ;; esac
  if [ "${1:-}" != --yes ]; then
    [ -t 0 ] || die "wipe deletes every call, user and recording of this clone" "Say ./sentiric wipe --yes."
    read -r -p "Delete every call, user and recording of this clone ($INFRA)? [y/N] " answer
    [[ $answer == [yY]* ]] || { note "nothing deleted"; return 0; }
  fi
  down
  rm -rf "$SERVERS" "$INFRA"
  rm -f "$RUN"/*.pid
  good "deleted; the next ./sentiric up starts from nothing"
}

demo() { # demo [--full|--split]
  local code=0
  case " $* " in *' --foreground '*) usage_error demo "unknown option --foreground" ;; esac
  up "$@"
  release_lock
  say
  dotnet "$CLI_DLL" demo || code=$?
  say
  if [ "$code" = 0 ]; then note "the platform stays up; ./sentiric down stops it"; else bad "the demo ended with $code; logs are under $RUN/log/"; fi
  exit "$code"
}
release_lock() { exec 9>&-; }

cli() {
  read_folders
  [ -e "$CLI_DLL" ] || die "the CLI is not built" "./sentiric up builds it."
  platform_environment "$(cat "$RUN/mode" 2>/dev/null || echo embedded)"
  exec dotnet "$CLI_DLL" "$@"
}

# SQL on stdout, so everything else goes to stderr.
schema() { # schema [--roles]
  local what=--print-schema
  case ${1:-} in
    '') ;;
    --roles) what=--print-roles ;;
    *) usage_error schema "unknown option $1" ;;
  esac
  mkdir -p "$RUN/log"
  build_platform >&2
  exec dotnet "$HOST_DLL" "$what"
}

# For commands that only look: where things are, without making or locking anything.
read_folders() {
  [ -s "$INFRA/secret" ] && [ -s "$INFRA/api-key" ] && [ -s "$INFRA/ports.env" ] ||
    die "nothing is set up in this clone" "./sentiric up does it."
  SERVERS=$(cat "$INFRA/servers-are-in" 2>/dev/null || echo "$INFRA")
  load_ports
}
