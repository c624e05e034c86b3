# What ./sentiric --help and ./sentiric COMMAND --help print.
# shellcheck shell=bash disable=SC2034 # names set here and used in the other parts

help_all() {
  cat <<'TEXT'
./sentiric COMMAND [OPTIONS]

  demo      set up, build, start, place a spoken call and show it live
  up        set up, build and start the platform
  down      stop what this clone started; the data stays
  test      run every test; the last line is "N passed, N failed"
  cli       speak to the running platform from the terminal
  doctor    look at everything and say what to put right
  bench     run the benchmarks
  setup     get what is missing: servers, voice, native libraries
  infra     start, stop and show PostgreSQL, RabbitMQ and Redis
  schema    print the SQL of the event store's tables, or of its roles
  wipe      delete this clone's data

./sentiric COMMAND --help tells more. Everything can be run twice and goes on where it was interrupted.
TEXT
}

help_setup() {
  cat <<'TEXT'
./sentiric setup [--full]
Checks the machine and the .NET SDK and gets what is missing: PostgreSQL and espeak-ng (with --full RabbitMQ and Redis
too), the native speech library and the voice activity model. Programs that the machine has are used; others are
downloaded with apt and unpacked under .infra, without root and without installing anything.
SENTIRIC_INFRA=unpack ignores the machine's own programs.
TEXT
}
help_infra() {
  cat <<'TEXT'
./sentiric infra up|down|status|env [--full] [--only pg|mq|redis]
PostgreSQL (with --full RabbitMQ and Redis too) of this clone: loopback only, own ports, data under .infra.
env prints `export` lines with the addresses. `down` and `status` mean all three unless --only names one.
SENTIRIC_MQ_MANAGEMENT=1 starts RabbitMQ with its management page.
TEXT
}
help_up() {
  cat <<'TEXT'
./sentiric up [--full] [--split] [--foreground]
Sets up, builds and starts the platform, and waits until it is ready.
  --full        with RabbitMQ and Redis in place of the in-memory bus and call state
  --split       every role in its own process, over HTTP, RabbitMQ and Redis
  --foreground  the host in this terminal
Ports are chosen once and remembered in .infra/ports.env; the admin API key is in .infra/api-key.
TEXT
}
help_down() {
  cat <<'TEXT'
./sentiric down [--platform]
Stops the host and the servers that this clone started; the data stays. With --platform the servers go on.
TEXT
}
help_wipe() {
  cat <<'TEXT'
./sentiric wipe [--yes]
Stops everything of this clone and deletes .infra: data, recordings, downloaded programs, ports, keys. Asks first.
TEXT
}
help_demo() {
  cat <<'TEXT'
./sentiric demo [--full|--split]
Starts the platform (see up), then a caller dials it and talks Turkish; the terminal shows the call live. Exit code 0 only
when all of it happened. The platform stays up.
TEXT
}
help_doctor() {
  cat <<'TEXT'
./sentiric doctor
Looks at the machine, the SDK, the servers, the ports, the native libraries, the voice and the running platform: one line
each with ok, warn or FAIL and what to do. Exit code 1 when something failed. Changes nothing.
TEXT
}
help_test() {
  cat <<'TEXT'
./sentiric test [--fast] [FILTER]
Builds everything and runs the tests with their own PostgreSQL, RabbitMQ and Redis. The last line is "N passed, N failed".
  --fast   no slow tests, no whole calls, PostgreSQL only
  FILTER   part of a project's name (sip, media ...), or else part of a test's name
TEXT
}
help_bench() {
  cat <<'TEXT'
./sentiric bench [--json | --markdown] [--quick] [--scale=SIZES [--keep]] [NAME]
Runs the benchmarks in Release, all or those named, and prints a table. A missed target is said there and is no failure.
  --json      one JSON object a row
  --markdown  the table of docs/benchmarks.md
  --quick     a fifth of the time: shows that everything works, the figures are noise
  --scale=1,10  instead of all others how cost grows with the store: 1 and 10 million generated events, minutes of work
                and 0.5 GB of disk a million; events.scale or events.scale_rebuild alone can be named
  --keep      leaves the generated databases (sentiric_scale_*) for the next run
  NAME        events, sip, media or speech, or one of them: events.append, sip.uas, media.legs ...
TEXT
}
help_schema() {
  cat <<'TEXT'
./sentiric schema [--roles]
Prints the SQL that makes the event store's tables, for a database administrator who lets no program do it; with --roles the
roles migrator, writer and reader with their rights. Store__Schema and Store__Marten are honoured. Starts and changes nothing.
TEXT
}
help_cli() {
  cat <<'TEXT'
./sentiric cli ARGUMENTS...
Runs the command-line client with the address and the admin key of this clone's platform. ./sentiric cli help lists what
it can do.
TEXT
}
