# The ports of this clone: chosen once, below the ephemeral range, and remembered in .infra/ports.env, so that two
# clones run side by side. One block of 250 per clone: named ports first, then RTP.
# shellcheck shell=bash disable=SC2034 # names set here and used in the other parts

PORT_NAMES=(HTTP SIP PG MQ MQ_DIST MQ_MGMT EPMD REDIS WRITE READ SIP_HTTP MEDIA AGENT STT TTS
  TEST_PG TEST_MQ TEST_MQ_DIST TEST_MQ_MGMT TEST_EPMD TEST_REDIS RTP_FROM RTP_TO)
PORT_FIRST=20000 PORT_BLOCK=250 PORT_BLOCKS=48 # 20000-31999; Linux hands out ephemeral ports from 32768 up
RTP_OFFSET=50                                  # the rest of the block: 200 ports, 100 calls
declare -A PORT=()
declare -A USED_PORTS=()

# Reads the remembered ports; chooses a block when there are none, or when the file is not whole.
load_ports() {
  local name value
  PORT=()
  if [ -s "$INFRA/ports.env" ]; then
    while IFS='=' read -r name value; do
      if [[ $name =~ ^[A-Z_]+$ && $value =~ ^[0-9]{4,5}$ ]]; then PORT[$name]=$value; fi
    done <"$INFRA/ports.env"
  fi
  for name in "${PORT_NAMES[@]}"; do
    if [ -z "${PORT[$name]:-}" ]; then
      choose_ports
      save_ports
      return
    fi
  done
}

choose_ports() {
  local try block base i
  read_used_ports
  block=$(printf %s "$ROOT" | cksum | cut -d' ' -f1)
  for ((try = 0; try < PORT_BLOCKS; try++)); do
    base=$((PORT_FIRST + (block + try) % PORT_BLOCKS * PORT_BLOCK))
    if block_is_free "$base"; then
      for i in "${!PORT_NAMES[@]}"; do PORT[${PORT_NAMES[i]}]=$((base + i)); done
      PORT[RTP_FROM]=$((base + RTP_OFFSET))
      PORT[RTP_TO]=$((base + PORT_BLOCK - 1))
      return
    fi
  done
  die "no block of $PORT_BLOCK free ports between $PORT_FIRST and $((PORT_FIRST + PORT_BLOCKS * PORT_BLOCK - 1))" \
    "Write the ports you want into $INFRA/ports.env (NAME=number; names: ${PORT_NAMES[*]})."
}

save_ports() {
  local name
  for name in "${PORT_NAMES[@]}"; do echo "$name=${PORT[$name]}"; done >"$INFRA/ports.env.new"
  mv "$INFRA/ports.env.new" "$INFRA/ports.env"
}

# Another program sits on a remembered port: take a free one and say so. Called only when our own is not running.
claim_port() { # claim_port NAME LABEL
  local name=$1 label=$2 old=${PORT[$1]} p
  read_used_ports
  [ -n "${USED_PORTS[$old]:-}" ] || return 0
  for ((p = old - old % PORT_BLOCK + ${#PORT_NAMES[@]}; p < PORT_FIRST + PORT_BLOCKS * PORT_BLOCK; p++)); do
    if ((p % PORT_BLOCK < RTP_OFFSET)) && [ -z "${USED_PORTS[$p]:-}" ] && ! port_is_ours "$p"; then
      PORT[$name]=$p
      save_ports
      warn "port $old ($label) is taken by another program: from now on $label uses $p"
      return 0
    fi
  done
  die "port $old ($label) is taken and no other is free" "Stop the program that holds it, or change $INFRA/ports.env."
}

port_is_ours() {
  local name
  for name in "${PORT_NAMES[@]}"; do [ "${PORT[$name]}" != "$1" ] || return 0; done
  return 1
}

block_is_free() {
  local p
  for ((p = $1; p < $1 + PORT_BLOCK; p++)); do [ -z "${USED_PORTS[$p]:-}" ] || return 1; done
}

# Listening TCP ports (state 0A) and bound UDP ports, on any address, of any user.
read_used_ports() {
  local file line state port
  USED_PORTS=()
  for file in /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6; do
    [ -r "$file" ] || continue
    while read -r _ line _ state _; do
      case $file in *tcp*) [ "$state" = 0A ] || continue ;; esac
      port=${line##*:}
      if [[ $port =~ ^[0-9A-F]{4}$ ]]; then USED_PORTS[$((16#$port))]=1; fi
    done <"$file"
  done
}

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

wait_for_port() { # wait_for_port PORT SECONDS
  local i
  for ((i = 0; i < $2 * 10; i++)); do
    if port_open "$1"; then return 0; fi
    sleep 0.1
  done
  echo "port $1 did not open within $2 s"
  return 1
}

# The status of GET http://127.0.0.1:PORT/PATH, without curl (a bare Debian has none); empty when nobody answers.
http_status() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 0
    printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' "$2" >&3
    IFS=' ' read -r -t 5 _ status _ <&3 || true
    echo "${status:-}"
  ) 2>/dev/null || true
}
