# What the terminal shows: one line per step, with a tick and the seconds it took. Details go to $LOG.
# Everything here writes to stderr, so that `env`, `cli` and `bench --json` keep a clean stdout.
# shellcheck shell=bash disable=SC2034 # names set here and used in the other parts

TICK='✓' CROSS='✗' DOT='·' BANG='!'
case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
  *UTF-8* | *utf8* | *UTF8*) ;;
  *) [ ! -t 2 ] || { TICK='ok' CROSS='FAILED' DOT='-'; } ;;
esac
BOLD='' DIM='' RED='' GREEN='' YELLOW='' PLAIN=''
if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
  BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' PLAIN=$'\e[0m'
fi

LOG=${LOG:-/dev/null} # the caller sets it once .run/log exists
HINT=''               # what to do when the step that runs now fails
STEP_RC=0             # how the last try_step ended
SPINNER=''            # pid of the moving line, when there is one
LOG_TAIL_LINES=15

say() { printf '%s\n' "$*" >&2; }
good() { printf '%s\n' "$GREEN$TICK$PLAIN $*" >&2; }
note() { printf '%s\n' "$DIM$DOT $*$PLAIN" >&2; }
warn() { printf '%s\n' "$YELLOW$BANG$PLAIN $*" >&2; }
bad() { printf '%s\n' "$RED$CROSS$PLAIN $*" >&2; }

# die MESSAGE [WHAT TO DO]: exit 1, with one line of advice.
die() {
  bad "$1"
  if [ -n "${2:-}" ]; then say "  $2"; fi
  exit 1
}

# Some locales write EPOCHREALTIME with a comma (tr_TR does): only the digits count. Microseconds.
now_us() { echo "${EPOCHREALTIME//[^0-9]/}"; }
seconds_since() {
  local us=$(($(now_us) - $1))
  printf '%d.%d s' $((us / 1000000)) $((us / 100000 % 10))
}

# step WHAT COMMAND...: runs a function or program with its output in $LOG; the script ends when it fails.
# Call it as a plain statement, never after `if`, `&&` or `||`: there bash would switch `set -e` off inside the command.
step() {
  try_step "$@"
  [ "$STEP_RC" = 0 ] || step_failed
}

# try_step WHAT COMMAND...: the same, but leaves the decision to the caller, in STEP_RC.
try_step() {
  local what=$1 from
  from=$(now_us)
  shift
  printf '\n== %s\n' "$what" >>"$LOG"
  spinner_start "$what" "$from"
  set +e
  (
    set -e
    "$@"
  ) >>"$LOG" 2>&1 8>&- 9>&- </dev/null # 8, 9: locks must not live on in daemons
  STEP_RC=$?
  set -e
  spinner_stop
  if [ "$STEP_RC" = 0 ]; then good "$what $DIM($(seconds_since "$from"))$PLAIN"; else bad "$what ($(seconds_since "$from"))"; fi
}

step_failed() {
  if [ "$LOG" != /dev/null ]; then
    tail -n "$LOG_TAIL_LINES" "$LOG" | cut -c -200 | sed 's/^/    /' >&2
    say "  all of it: $LOG"
  fi
  if [ -n "$HINT" ]; then say "  $HINT"; fi
  say "  ./sentiric doctor checks the rest; running the same command again goes on from here."
  exit 1
}

spinner_start() {
  [ -t 2 ] || return 0
  (
    trap 'exit 0' TERM
    frames='⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏' i=0
    [ "$TICK" = '✓' ] || frames='|/-\'
    while kill -0 $$ 2>/dev/null; do
      printf '\r\e[K%s %s %s' "${frames:i++%${#frames}:1}" "$1" "$DIM$(seconds_since "$2")$PLAIN" >&2
      sleep 0.2
    done
  ) 8>&- 9>&- &
  SPINNER=$!
}

spinner_stop() {
  [ -n "$SPINNER" ] || return 0
  kill "$SPINNER" 2>/dev/null || true
  wait "$SPINNER" 2>/dev/null || true
  SPINNER=''
  printf '\r\e[K' >&2
}
