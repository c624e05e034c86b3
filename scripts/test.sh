# ./sentiric test and bench. The tests get PostgreSQL, RabbitMQ and Redis of their own, on their own ports, and these
# stop at the end. The counts come from the .trx files; a project that breaks off without one counts as one failure.
# shellcheck shell=bash disable=SC2034 # names set here and used in the other parts

PROJECT_SECONDS=1800
PEERS=(sip-tester baresip-core kamailio rtpengine-daemon linphone-cli sipsak sipvicious tshark chromium libopus0 fonts-dejavu-core docker-compose shellcheck openssl jq)
declare -A PEER_PROGRAM=([sip-tester]=sipp [baresip-core]=baresip [kamailio]=kamailio [rtpengine-daemon]=rtpengine [linphone-cli]=linphonec [sipsak]=sipsak [sipvicious]=svmap [tshark]=tshark [chromium]=chromium [docker-compose]=docker-compose [shellcheck]=shellcheck [openssl]=openssl [jq]=jq)
PASSED=0 FAILED=0 SKIPPED=0
FAILURES=()

run_tests() { # run_tests [--fast] [FILTER]
  local fast=0 filter='' arg servers=(pg mq redis) projects checks='' build=all
  for arg in "$@"; do
    case $arg in
      --fast) fast=1 ;;
      -*) usage_error test "unknown option $arg" ;;
      *) [ -z "$filter" ] || usage_error test "one filter at a time: $filter, $arg"; filter=$arg ;;
    esac
  done
  [ "$fast" = 0 ] || servers=(pg)
  setup "${servers[@]}"
  [ "$fast" = 1 ] || get_peers
  take_test_lock
  trap 'spinner_stop; stop_test_servers' EXIT
  use_instance test
  infra_up "${servers[@]}"
  rm -rf "$RUN/test" && mkdir -p "$RUN/test"
  if [ -z "$filter" ]; then run_checks_aside & checks=$!; fi
  # a filter may name what the fast gate leaves out
  [ "$fast" = 0 ] || [ -n "$filter" ] || build=fast
  build_tests "$build"
  release_lock
  test_environment "$fast"
  mapfile -t projects < <(test_projects "$filter" "$build")
  if [ -n "$checks" ]; then wait "$checks" || true; cat "$RUN/test/checks.log"; add_sum checks; fi
  run_side_by_side "$fast" "$filter" "${projects[@]}"
  stop_test_servers
  trap spinner_stop EXIT
  sum_up
}

# Two test runs in one clone would share the servers, and the first to end would stop them.
TEST_LOCK_SECONDS=3600
take_test_lock() {
  command -v flock >/dev/null || return 0
  exec 8>"$INFRA/test-lock"
  flock -n 8 && return 0
  release_lock
  note "another test run is at work in this clone: waiting for it"
  flock -w "$TEST_LOCK_SECONDS" 8 || die "the other test run did not finish in $TEST_LOCK_SECONDS s"
  take_lock
}

# build_tests all|fast: what a whole build has built is built for the fast gate too.
build_tests() {
  local sources=(src tests Sentiric.sln scripts/fast.slnf)
  if [ "$1" = all ] || [ "$(cat "$RUN/all.built" 2>/dev/null)" = "$(sources_sum "${sources[@]}")" ]; then
    build_once all build_all "$HOST_DLL" "${sources[@]}"
  else
    build_once fast build_fast "$HOST_DLL" "${sources[@]}"
  fi
}
build_all() { dotnet_build Sentiric.sln; }
build_fast() { dotnet_build scripts/fast.slnf; }

test_environment() {
  platform_environment embedded # speech and folders; the addresses of the platform itself are none of the tests' business
  unset ConnectionStrings__Postgres Urls Sip__Listen Media__PortRange Gateway__AdminKeyFile Privacy__MasterKeyFile Recording__Folder SENTIRIC_URL SENTIRIC_API_KEY SENTIRIC_SIP
  unset SENTIRIC_TEST_RABBIT SENTIRIC_TEST_REDIS ASPNETCORE_ENVIRONMENT SENTIRIC_PG_LIBRARIES
  export SENTIRIC_TEST_PG SENTIRIC_PG_BIN SENTIRIC_NATIVE=$INFRA/native SENTIRIC_MODELS=$ROOT/models
  SENTIRIC_TEST_PG=$(pg_address)
  SENTIRIC_PG_BIN=$(pg_bin)
  if is_unpacked "$SENTIRIC_PG_BIN"; then export SENTIRIC_PG_LIBRARIES; SENTIRIC_PG_LIBRARIES=$(library_path); fi
  if [ "$1" = 1 ]; then return 0; fi
  export SENTIRIC_TEST_RABBIT SENTIRIC_TEST_REDIS
  SENTIRIC_TEST_RABBIT=$(mq_address)
  SENTIRIC_TEST_REDIS=$(redis_address)
}

# Real phones, a packet counter and a browser: installed when that needs no password, else their tests are skipped.
get_peers() {
  local package missing=()
  for package in "${!PEER_PROGRAM[@]}"; do command -v "${PEER_PROGRAM[$package]}" >/dev/null || missing+=("$package"); done
  has_opus || missing+=(libopus0)
  if [ ${#missing[@]} = 0 ]; then return 0; fi
  if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
    try_step "test peers (${missing[*]}) installed" install_peers
    if [ "$STEP_RC" = 0 ]; then return 0; fi
  fi
  warn "tests that need these are skipped: ${missing[*]} (apt-get install ${PEERS[*]})"
}
install_peers() {
  local as_root=() service services=()
  [ "$(id -u)" = 0 ] || as_root=(sudo -n)
  command -v kamailio >/dev/null || services+=(kamailio)
  command -v rtpengine >/dev/null || services+=(rtpengine-daemon rtpengine-recording-daemon)
  "${as_root[@]}" apt-get -qq update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${PEERS[@]}"
  # the tests start their own: the packages' services would sit on their usual ports
  if [ ! -d /run/systemd/system ]; then return 0; fi
  for service in "${services[@]}"; do "${as_root[@]}" systemctl disable -q --now "$service" || true; done
}

# A filter that is part of a project's name chooses projects; any other chooses tests by name.
test_projects() { # test_projects FILTER all|fast
  local all
  all=$(cd "$ROOT" && grep -l 'Microsoft.NET.Test.Sdk' tests/*/*.csproj)
  if [ "$2" = fast ]; then all=$(grep -v "/$ALONE/" <<<"$all"); fi
  grep -iF -- "${1:-tests/}" <<<"$all" || echo "$all"
}

# Beside the build, in a shell of their own: their lines and counts are told through files.
run_checks_aside() {
  trap - EXIT # the servers are not its to stop
  PASSED=0 FAILED=0 SKIPPED=0 FAILURES=()
  run_script_checks >"$RUN/test/checks.log" 2>&1 8>&- 9>&- </dev/null
  write_sum checks
}

run_script_checks() {
  local check from said
  for check in "$ROOT"/scripts/check-*.sh; do
    [ -e "$check" ] || continue
    from=$(now_us)
    if said=$("$check" 2>&1); then
      case $said in
        skip*) SKIPPED=$((SKIPPED + 1)) ;;
        *) PASSED=$((PASSED + 1)) ;;
      esac
      echo "$TICK $(basename "$check" .sh): $(tail -n 1 <<<"$said") ($(seconds_since "$from"))"
    else
      FAILED=$((FAILED + 1))
      FAILURES+=("$(basename "$check"): $said")
      echo "$CROSS $(basename "$check" .sh) ($(seconds_since "$from"))"
    fi
  done
}

run_project() { # run_project PROJECT FAST FILTER
  local name program from code=0 trx options=() passed=0 failed=0 skipped=0 mark=$TICK
  name=$(basename "$1" .csproj)
  # the built program, not the project: asking the build again costs some seconds of processor for each
  program=$(dirname "$ROOT/$1")/bin/Release/net10.0/$name.dll
  trx=$RUN/test/$name.trx
  mapfile -t options < <(project_filter "$1" "$2" "$3")
  # a test's code runs for seconds: counting what is hot in it costs a fifth of the processor and never pays. Where speed is measured it stays on.
  if [ "$name" != "$ALONE" ]; then export DOTNET_TieredPGO=0; fi
  from=$(now_us)
  timeout --foreground -k 10 "$PROJECT_SECONDS" dotnet test "$program" --nologo \
    --logger "trx;LogFileName=$name.trx" --results-directory "$RUN/test" "${options[@]}" >"$RUN/test/$name.log" 2>&1 </dev/null || code=$?
  if [ -s "$trx" ]; then read -r passed failed skipped < <(trx_counts "$trx"); fi
  if [ "$code" != 0 ] && [ "$failed" = 0 ]; then
    failed=1
    FAILURES+=("$name broke off with $code (124: over $PROJECT_SECONDS s): $(tail -n 5 "$RUN/test/$name.log")")
  fi
  if [ -s "$trx" ]; then mapfile -t -O ${#FAILURES[@]} FAILURES < <(trx_failures "$trx" "$name"); fi
  PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed)) SKIPPED=$((SKIPPED + skipped))
  [ "$failed" = 0 ] || mark=$CROSS
  echo "$mark $name: $passed passed, $failed failed, $skipped skipped ($(seconds_since "$from"))"
}

# Several projects at a time, for much of a test's time is waiting. LONGEST begin first, in this order; ALONE measures sound and runs when the
# others are through: it has its own lanes (tests/Sentiric.Scenarios/Kit/Lanes.cs). The fast gate leaves it out, as it leaves out what measures.
SIDE_BY_SIDE=2 FAST_SIDE_BY_SIDE=4
LONGEST=(Sentiric.EventStore.Tests Sentiric.Host.Tests Sentiric.Media.Tests Sentiric.Speech.Tests) ALONE=Sentiric.Scenarios
run_side_by_side() { # run_side_by_side FAST FILTER PROJECT...
  local fast=$1 filter=$2 most=$SIDE_BY_SIDE name project alone=() long=() others=()
  shift 2
  for name in "${LONGEST[@]}"; do
    for project in "$@"; do if [ "$(basename "$project" .csproj)" = "$name" ]; then long+=("$project"); fi; done
  done
  for project in "$@"; do
    name=$(basename "$project" .csproj)
    case " ${LONGEST[*]} " in *" $name "*) continue ;; esac
    if [ "$name" = "$ALONE" ]; then alone=("$project"); else others+=("$project"); fi
  done
  others=("${long[@]}" "${others[@]}")
  if [ "$fast" = 1 ]; then most=$FAST_SIDE_BY_SIDE others+=("${alone[@]}") alone=(); fi
  run_at_most "$most" "$fast" "$filter" "${others[@]}"
  run_at_most 1 "$fast" "$filter" "${alone[@]}"
  for project in "$@"; do add_sum "$(basename "$project" .csproj)"; done
}

run_at_most() { # run_at_most HOW_MANY FAST FILTER PROJECT...
  local most=$1 fast=$2 filter=$3 project running=0
  shift 3
  for project in "$@"; do
    if [ "$running" -ge "$most" ]; then wait -n || true; running=$((running - 1)); fi
    run_aside "$project" "$fast" "$filter" &
    running=$((running + 1))
  done
  while [ "$running" -gt 0 ]; do wait -n || true; running=$((running - 1)); done
}

# In a shell of its own: its counts are told through a file.
run_aside() {
  PASSED=0 FAILED=0 SKIPPED=0 FAILURES=()
  run_project "$@"
  write_sum "$(basename "$1" .csproj)"
}
write_sum() { { echo "$PASSED $FAILED $SKIPPED"; [ ${#FAILURES[@]} = 0 ] || printf '%s\n' "${FAILURES[@]}"; } >"$RUN/test/$1.sum"; }

add_sum() {
  local passed failed skipped
  { read -r passed failed skipped; mapfile -t -O ${#FAILURES[@]} FAILURES; } <"$RUN/test/$1.sum"
  PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed)) SKIPPED=$((SKIPPED + skipped))
}

project_filter() {
  local parts=()
  if [ "$2" = 1 ]; then parts+=("Category!=Slow"); fi
  if [ -n "$3" ] && ! grep -qiF -- "$3" <<<"$1"; then parts+=("FullyQualifiedName~$3"); fi
  if [ ${#parts[@]} != 0 ]; then printf '%s\n' --filter "$(IFS='&' && echo "${parts[*]}")"; fi
}

trx_counts() {
  sed -n 's/.*<Counters \([^>]*\)>.*/\1/p' "$1" | head -n 1 | awk '{
    for (i = 1; i <= NF; i++) { split($i, kv, "="); gsub(/[^0-9]/, "", kv[2]); n[kv[1]] = kv[2] + 0 }
    bad = n["failed"] + n["error"] + n["timeout"] + n["aborted"]
    print n["passed"] + 0, bad, n["total"] - n["passed"] - bad }'
}

# One line per failed test: its name and the first line of its message.
trx_failures() {
  awk -v project="$2" '
    /<UnitTestResult / { failed = /outcome="Failed"/; if (failed) { name = $0; sub(/.*testName="/, "", name); sub(/".*/, "", name); waiting = 1 } }
    failed && waiting && /<Message>/ { message = $0; sub(/.*<Message>/, "", message); sub(/<\/Message>.*/, "", message); print project ": " name ": " message; waiting = 0 }
    failed && waiting && /<\/UnitTestResult>/ { print project ": " name; waiting = 0 }
  ' "$1" | sed 's/&lt;/</g; s/&gt;/>/g; s/&quot;/"/g; s/&#xD;//g; s/&#xA;/ /g; s/&apos;/'"'"'/g; s/&amp;/\&/g'
}

stop_test_servers() {
  use_instance test
  infra_down mq redis pg
}

sum_up() {
  local failure
  if [ ${#FAILURES[@]} != 0 ]; then
    echo
    echo "Failed:"
    for failure in "${FAILURES[@]}"; do echo "  $failure"; done
    echo "  (logs and .trx files: $RUN/test)"
  fi
  [ "$((PASSED + FAILED))" != 0 ] || echo "No test ran."
  echo "$SKIPPED skipped"
  echo "$PASSED passed, $FAILED failed"
  [ "$FAILED" = 0 ] && [ "$PASSED" != 0 ]
}

bench() { # bench [--json | --markdown] [--quick] [--scale=SIZES [--keep]] [NAME]
  local code=0 PG_DURABLE=1 # a commit that does not wait for the disk is no commit to measure
  setup pg
  take_test_lock
  trap 'spinner_stop; stop_test_servers' EXIT
  use_instance test
  infra_up pg
  build_once bench build_bench "$ROOT/tests/Sentiric.Benchmarks/bin/Release/net10.0/Sentiric.Benchmarks.dll" src tests
  release_lock
  test_environment 1
  dotnet "$ROOT/tests/Sentiric.Benchmarks/bin/Release/net10.0/Sentiric.Benchmarks.dll" "$@" || code=$?
  exit "$code"
}
build_bench() { dotnet_build tests/Sentiric.Benchmarks/Sentiric.Benchmarks.csproj; }
