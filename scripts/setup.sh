# ./sentiric setup: says what is missing and gets it. Every step leaves a stamp or a file that the next run recognises.
# shellcheck shell=bash disable=SC2034 # names set here and used in the other parts

SDK_MAJOR=10
SDK_PAGE='https://learn.microsoft.com/dotnet/core/install/linux'
DISK_NEED_MB=2000
# one file out of each npm package; the sums pin them
SHERPA_PACKAGE=sherpa-onnx-linux-x64 SHERPA_VERSION=1.13.8 SHERPA_FILE=libonnxruntime.so
SHERPA_SUM=4b3607aebd1784b26b6f9b20e4bd974c7ab8287043e4d095cb7d2cb40b5e566e
VAD_PACKAGE=@ricky0123/vad-web VAD_VERSION=0.0.31 VAD_FILE=dist/silero_vad_v5.onnx
VAD_SUM=2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f

setup() { # setup pg mq redis (the servers wanted)
  prepare_folders
  check_machine
  check_sdk
  local service
  for service in "$@"; do setup_program "$service"; done
  setup_program espeak
  setup_natives
}

prepare_folders() {
  mkdir -p "$INFRA" "$INFRA/native" "$INFRA/recordings" "$RUN/log" 2>/dev/null ||
    die "cannot write into $ROOT" "The clone belongs to $(stat -c %U "$ROOT"): run as that user, or clone again as $(id -un)."
  [ -w "$INFRA" ] && [ -w "$RUN/log" ] ||
    die "$INFRA belongs to $(stat -c %U "$INFRA")" "Run as that user, or ./sentiric wipe as that user first."
  LOG=$RUN/log/setup.log
  if [ -s "$LOG" ] && [ "$(stat -c %s "$LOG")" -gt 4000000 ]; then mv "$LOG" "$LOG.old"; fi
  printf '\n#### %s ./sentiric %s\n' "$(date -u +%FT%TZ)" "$COMMAND_LINE" >>"$LOG"
  make_secret "$INFRA/secret" 24
  make_secret "$INFRA/api-key" 32
  place_servers
  mkdir -p "$SERVERS/stamp"
  take_lock
  load_ports
}

make_secret() { [ -s "$1" ] || (umask 077 && random_text "$2" >"$1.new" && mv "$1.new" "$1"); }

# As root the servers run as nobody, who cannot enter a clone under /root: then their files live under /var/lib.
place_servers() {
  local other
  chmod a+x "$INFRA" 2>/dev/null || true
  SERVERS=$INFRA
  if [ "$(id -u)" != 0 ] || as_server test -x "$INFRA"; then return 0; fi
  other=/var/lib/sentiric-$(printf %s "$ROOT" | cksum | cut -d' ' -f1)
  mkdir -p "$other"
  chmod 755 "$other"
  SERVERS=$other
  [ -e "$INFRA/servers-are-in" ] || note "the servers run as nobody, who cannot enter $ROOT: their files go to $other"
  echo "$other" >"$INFRA/servers-are-in"
}

# One setup, start or stop at a time in one clone.
LOCK_SECONDS=900
take_lock() {
  command -v flock >/dev/null || return 0
  exec 9>"$INFRA/lock"
  flock -n 9 && return 0
  note "another ./sentiric is at work in this clone: waiting for it"
  flock -w "$LOCK_SECONDS" 9 || die "the other ./sentiric did not finish in $LOCK_SECONDS s"
}

check_machine() {
  local free
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) ;;
    Linux-aarch64) die "this is an arm64 machine; the set-up knows the native speech library for x86_64 only" \
      "Use an x86_64 machine, or docker-compose.yml on one." ;;
    *) die "this is $(uname -s) on $(uname -m); the set-up knows Linux on x86_64" ;;
  esac
  case $ROOT in *[[:space:]\'\"]*) die "the clone's path holds spaces or quotes: $ROOT" "RabbitMQ's scripts do not bear them: move the clone." ;; esac
  free=$(free_mb)
  if [ "$free" -lt "$DISK_NEED_MB" ] && [ ! -e "$SERVERS/stamp/natives" ]; then
    die "$free MB free under $ROOT, $DISK_NEED_MB MB needed" "Make room and run it again."
  fi
}
free_mb() { df -Pm "$ROOT" | awk 'NR==2 {print $4}'; }

check_sdk() {
  local version
  version=$(sdk_version)
  if [ -z "$version" ]; then
    die "the .NET SDK $SDK_MAJOR.0 or newer is missing" "How to get it: $SDK_PAGE (package dotnet-sdk-$SDK_MAJOR.0), then run this again."
  fi
  good ".NET SDK $version"
}
# What `dotnet` answers inside the clone, where global.json rules; empty when it is missing or too old.
sdk_version() {
  command -v dotnet >/dev/null || return 0
  (cd "$ROOT" && dotnet --version 2>/dev/null) | grep -E "^([1-9][0-9])\." | awk -F. -v need="$SDK_MAJOR" '$1 >= need {print; exit}' || true
}

declare -A PROGRAM_LABEL=([pg]=PostgreSQL [mq]=RabbitMQ [redis]=Redis [espeak]=espeak-ng)
declare -A PROGRAM_FETCH=([pg]=fetch_postgresql [mq]=fetch_rabbitmq [redis]=fetch_redis [espeak]=fetch_espeak)
program_path() { case $1 in pg) pg_bin ;; mq) mq_bin ;; redis) redis_bin ;; espeak) espeak_bin ;; esac; }

setup_program() {
  local name=$1 path
  path=$(program_path "$name")
  # an unpacked program counts only with its stamp, made for this very folder (erl knows its own path)
  if [ -n "$path" ] && { ! is_unpacked "$path" || [ "$(cat "$SERVERS/stamp/$name" 2>/dev/null)" = "$SERVERS" ]; }; then
    good "${PROGRAM_LABEL[$name]} ${DIM}$path${PLAIN}"
    return 0
  fi
  command -v apt-get >/dev/null || die "${PROGRAM_LABEL[$name]} is missing and this machine has no apt" \
    "Install ${PROGRAM_LABEL[$name]} with your package manager, or use docker-compose.yml."
  HINT="The packages come from the machine's own apt sources: is the network there? (apt-get update)"
  step "${PROGRAM_LABEL[$name]} is missing: downloaded and unpacked under ${SERVERS#"$ROOT/"}/root" "${PROGRAM_FETCH[$name]}"
  [ -n "$(program_path "$name")" ] || die "${PROGRAM_LABEL[$name]} is still missing after the download" "See $LOG."
  echo "$SERVERS" >"$SERVERS/stamp/$name"
}

setup_natives() {
  local onnx=$INFRA/native/$SHERPA_FILE vad=$INFRA/native/silero_vad.onnx
  if natives_ready; then
    good "native speech library and voice activity model ${DIM}$INFRA/native${PLAIN}"
    return 0
  fi
  if ! npm_ready; then
    command -v apt-get >/dev/null || die "npm is missing and this machine has no apt" "Install Node.js 18 or newer with npm."
    HINT="The packages come from the machine's own apt sources: is the network there? (apt-get update)"
    step "npm is missing: Debian's own, unpacked under ${SERVERS#"$ROOT/"}/root" fetch_npm
    echo "$SERVERS" >"$SERVERS/stamp/npm"
  fi
  HINT="npm must reach its registry: npm ping"
  has_sum "$onnx" "$SHERPA_SUM" || step "native speech library ($SHERPA_PACKAGE $SHERPA_VERSION)" \
    fetch_native "$SHERPA_PACKAGE" "$SHERPA_VERSION" "$SHERPA_FILE" "$SHERPA_FILE" "$SHERPA_SUM"
  has_sum "$vad" "$VAD_SUM" || step "voice activity model ($VAD_PACKAGE $VAD_VERSION)" \
    fetch_native "$VAD_PACKAGE" "$VAD_VERSION" "$VAD_FILE" silero_vad.onnx "$VAD_SUM"
  echo "$SHERPA_SUM $VAD_SUM" >"$SERVERS/stamp/natives"
}
natives_ready() {
  [ "$(cat "$SERVERS/stamp/natives" 2>/dev/null)" = "$SHERPA_SUM $VAD_SUM" ] &&
    [ -s "$INFRA/native/$SHERPA_FILE" ] && [ -s "$INFRA/native/silero_vad.onnx" ]
}
