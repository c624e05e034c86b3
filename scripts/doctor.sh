# ./sentiric doctor: looks at everything, changes nothing. One line each: ok, warn or fail, and what to do.
# shellcheck shell=bash disable=SC2034 # names set here and used in the other parts

DOCTOR_FAILS=0
LOW_DISK_MB=1000

doctor() {
  INFRA_READY=0
  SERVERS=$(cat "$INFRA/servers-are-in" 2>/dev/null || echo "$INFRA")
  if [ -s "$INFRA/secret" ] && [ -s "$INFRA/ports.env" ]; then INFRA_READY=1; load_ports; fi
  doctor_machine
  doctor_sdk
  doctor_programs
  doctor_natives
  doctor_models
  doctor_voice
  if [ "$INFRA_READY" = 1 ]; then
    doctor_servers
    doctor_platform
  else
    doctor_warn "this clone is not set up yet" "./sentiric up"
  fi
  doctor_opus
  doctor_peers
  if [ "$DOCTOR_FAILS" != 0 ]; then echo "$DOCTOR_FAILS to put right"; return 1; fi
  echo "nothing to put right"
}

doctor_ok() { printf '%-5s %s\n' ok "$1"; }
doctor_warn() { printf '%-5s %s%s\n' warn "$1" "${2:+ -> $2}"; }
doctor_fail() {
  printf '%-5s %s%s\n' FAIL "$1" "${2:+ -> $2}"
  DOCTOR_FAILS=$((DOCTOR_FAILS + 1))
}

doctor_machine() {
  local free
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) doctor_ok "Linux on x86_64, $(nproc) processors" ;;
    *) doctor_fail "$(uname -s) on $(uname -m)" "the set-up knows Linux on x86_64" ;;
  esac
  free=$(free_mb)
  if [ "$free" -ge "$DISK_NEED_MB" ]; then
    doctor_ok "$free MB free"
  elif [ "$free" -ge "$LOW_DISK_MB" ]; then
    doctor_warn "$free MB free" "a first set-up and build need $DISK_NEED_MB MB"
  else
    doctor_fail "$free MB free" "make room: recordings and logs are under .infra and .run"
  fi
  if [ -e "$INFRA" ] && [ ! -w "$INFRA" ]; then doctor_fail ".infra belongs to $(stat -c %U "$INFRA")" "run as that user"; fi
}

doctor_sdk() {
  local version
  version=$(sdk_version)
  if [ -n "$version" ]; then doctor_ok ".NET SDK $version"; else doctor_fail "no .NET SDK $SDK_MAJOR.0 or newer" "$SDK_PAGE"; fi
}

doctor_programs() {
  local name path
  for name in pg mq redis espeak; do
    path=$(program_path "$name")
    if [ -n "$path" ]; then doctor_ok "${PROGRAM_LABEL[$name]}: $path"; else doctor_warn "${PROGRAM_LABEL[$name]} is missing" "./sentiric setup gets it"; fi
  done
}

doctor_natives() {
  doctor_file "native speech library" "$INFRA/native/$SHERPA_FILE" "$SHERPA_SUM"
  doctor_file "voice activity model" "$INFRA/native/silero_vad.onnx" "$VAD_SUM"
}
doctor_file() { # LABEL FILE SHA256
  if [ ! -e "$2" ]; then
    doctor_warn "$1 is missing" "./sentiric setup gets it"
  elif has_sum "$2" "$3"; then
    doctor_ok "$1: checksum right"
  else
    doctor_fail "$1: wrong checksum ($2)" "delete the file and run ./sentiric setup"
  fi
}

# Every models folder may hold a SHA256SUMS file.
doctor_models() {
  local sums
  if [ ! -d "$ROOT/models" ]; then doctor_warn "no models folder" "git checkout models"; return 0; fi
  while read -r sums; do
    if (cd "$(dirname "$sums")" && sha256sum --quiet -c "$(basename "$sums")" >/dev/null 2>&1); then
      doctor_ok "models: ${sums#"$ROOT/"} holds"
    else
      doctor_fail "models: files differ from ${sums#"$ROOT/"}" "git checkout ${sums#"$ROOT/"} and its folder"
    fi
  done < <(find "$ROOT/models" -name SHA256SUMS)
}

doctor_voice() {
  local bin bytes
  bin=$(espeak_bin)
  [ -n "$bin" ] || return 0
  speech_environment
  bytes=$(LD_LIBRARY_PATH=${Speech__EspeakLibraryPath:-} ESPEAK_DATA_PATH=${Speech__EspeakDataPath:-} "$bin" -v tr --stdout 'merhaba' 2>/dev/null | wc -c || true)
  if [ "$bytes" -gt 1000 ]; then doctor_ok "espeak-ng speaks Turkish"; else doctor_fail "espeak-ng cannot speak Turkish" "try: $bin -v tr merhaba"; fi
}

doctor_servers() {
  local service
  use_instance main
  for service in pg mq redis; do
    if "${service}_running"; then
      if port_open "$(port "$service")"; then doctor_ok "$("${service}_name") up on 127.0.0.1:$(port "$service")"
      else doctor_fail "$("${service}_name") runs but does not answer on $(port "$service")" "see $(home_of "$service")"; fi
    elif port_open "$(port "$service")"; then
      doctor_warn "port $(port "$service") of $("${service}_name") is held by another program" "./sentiric up takes another port"
    elif platform_wants "$service"; then
      doctor_fail "$("${service}_name") is down, and the platform that runs needs it" "./sentiric infra up --only $service"
    else
      doctor_ok "$("${service}_name") is down, port $(port "$service") is free"
    fi
  done
}

# Whether the platform runs and was started with this server.
platform_wants() { # platform_wants pg|mq|redis
  if [ "$1" != pg ] && [ "$(cat "$RUN/mode" 2>/dev/null)" = embedded ]; then return 1; fi
  platform_running
}

doctor_platform() {
  local role status seen=0
  read_used_ports
  for role in host "${ROLES[@]}"; do
    role_running "$role" || continue
    seen=1
    status=$(http_status "$(role_port "$role")" "$READY_PATH")
    if [ "$status" = 200 ]; then doctor_ok "$role ready on 127.0.0.1:$(role_port "$role")"
    else doctor_fail "$role runs but says ${status:-nothing} to $READY_PATH" "see .run/log/$role.log"; fi
  done
  if [ "$seen" = 1 ]; then
    if [ -n "${USED_PORTS[${PORT[SIP]}]:-}" ]; then doctor_ok "SIP on 127.0.0.1:${PORT[SIP]}"
    else doctor_fail "nothing listens on the SIP port ${PORT[SIP]}" "see .run/log"; fi
    return 0
  fi
  doctor_ok "the platform is down"
  if [ -n "${USED_PORTS[${PORT[SIP]}]:-}" ]; then doctor_warn "SIP port ${PORT[SIP]} is held by another program" "./sentiric up takes another port"; fi
  if [ -n "${USED_PORTS[${PORT[HTTP]}]:-}" ]; then doctor_warn "HTTP port ${PORT[HTTP]} is held by another program" "./sentiric up takes another port"; fi
}

# An option of the host (Media__Codecs): it runs without.
has_opus() {
  local file
  for file in /usr/lib/*-linux-gnu/libopus.so.0 /usr/lib/libopus.so.0 /usr/lib64/libopus.so.0 /usr/local/lib/libopus.so.0; do
    if [ -e "$file" ]; then return 0; fi
  done
  return 1
}
doctor_opus() {
  if has_opus; then doctor_ok "Opus: libopus is here, Media__Codecs may name opus"
  else doctor_ok "Opus: no libopus, calls go without it (wanted? apt-get install libopus0)"; fi
}

doctor_peers() {
  local package missing=()
  for package in "${!PEER_PROGRAM[@]}"; do command -v "${PEER_PROGRAM[$package]}" >/dev/null || missing+=("$package"); done
  if [ ${#missing[@]} = 0 ]; then doctor_ok "test peers: sipp, baresip, tshark, chromium"
  else doctor_warn "test peers missing: ${missing[*]}" "their tests are skipped; apt-get install ${missing[*]}"; fi
}
