# Gets what is missing without installing anything: Debian's packages are downloaded with a private apt state and
# unpacked under .infra/root; npm packages are fetched by name and only the one file that is needed is kept.
# `rm -rf .infra` undoes all of it.
# shellcheck shell=bash disable=SC2034 # names set here and used in the other parts

# auto: the machine's own programs first; unpack: never, always the unpacked ones (to try that path)
INFRA_MODE=${SENTIRIC_INFRA:-auto}
APT_RETRIES=3

UNPACKED() { echo "$SERVERS/root"; }
UNPACKED_LIBS() { echo "$(UNPACKED)/usr/lib/x86_64-linux-gnu"; }

# first_of FOLDER-RELATIVE GLOB: looks in the unpacked tree, then (unless told not to) in the system.
first_of() {
  local root path roots=("$(UNPACKED)/")
  [ "$INFRA_MODE" = unpack ] || roots+=(/)
  for root in "${roots[@]}"; do
    for path in "$root"$1; do
      if [ -e "$path" ]; then
        echo "$path"
        return 0
      fi
    done
  done
}
folder_of() { [ -z "$1" ] || dirname "$1"; }

pg_bin() { folder_of "$(first_of 'usr/lib/postgresql/*/bin/initdb')"; }
mq_bin() { folder_of "$(first_of 'usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server')"; }
redis_bin() { first_of usr/bin/redis-server; }
espeak_bin() {
  local found
  found=$(first_of usr/bin/espeak-ng)
  [ -n "$found" ] || [ "$INFRA_MODE" = unpack ] || found=$(command -v espeak-ng || true)
  echo "$found"
}
is_unpacked() { [[ $1 == "$(UNPACKED)"/* ]]; }

# The unpacked programs find their libraries and each other only through these.
library_path() { echo "$(UNPACKED_LIBS):$(UNPACKED)/lib/x86_64-linux-gnu:$(UNPACKED_LIBS)/pulseaudio"; }
use_unpacked() {
  local root
  root=$(UNPACKED)
  [ -d "$root" ] || return 0
  LD_LIBRARY_PATH=$(library_path)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export LD_LIBRARY_PATH PATH=$root/usr/lib/erlang/bin:$root/usr/bin:$PATH
}

apt_private() { # apt_private apt-get|apt-cache ARGS...: own lists, own cache, no sandbox user, system sources
  local tool=$1
  shift
  # container images often switch these two caches off, and then every question costs seconds
  "$tool" -o Dir::State::lists="$SERVERS/apt/lists" -o Dir::Cache="$SERVERS/apt/cache" \
    -o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin -o Acquire::Languages=none \
    -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries="$APT_RETRIES" "$@"
}

# Fresh for a day: older lists name versions that the mirror no longer has.
apt_lists() {
  [ -z "$(find "$SERVERS/apt/fresh" -mtime -1 2>/dev/null)" ] || return 0
  mkdir -p "$SERVERS/apt/lists/partial" "$SERVERS/apt/cache/archives/partial"
  apt_private apt-get -qq update
  date >"$SERVERS/apt/fresh"
}

# unpack_packages ROOTS...: the packages named and what they need, as far as the machine does not have it.
unpack_packages() {
  local package wanted=("$@")
  apt_lists
  for package in $(all_below "$@" | servers_need); do is_installed "$package" || wanted+=("$package"); done
  download_and_unpack "${wanted[@]}"
}

all_below() {
  apt_private apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$@" |
    grep -E '^[a-z]' | sort -u
}
# Libraries and the Erlang parts; libllvm (JIT) and the interpreters stay out: the servers run without them.
servers_need() { grep -E '^(lib|erlang-|socat$|espeak-ng-data$)' | grep -vE '^lib(llvm|z3|perl|python|c6$|gcc|crypt1|.*-perl$|debian-installer|newt|textwrap|elogind|bg2)' || true; }

declare -A INSTALLED=()
is_installed() {
  local status package
  if [ ${#INSTALLED[@]} = 0 ]; then
    while read -r status package; do INSTALLED[$package]=$status; done < <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n')
  fi
  [[ ${INSTALLED[$1]:-} == ii* ]]
}

# download_and_unpack NAME[=VERSION]...: names that are virtual or unknown to this release are passed over.
download_and_unpack() {
  local package root real=() pinned=()
  root=$(UNPACKED)
  mkdir -p "$SERVERS/debs" "$root"
  rm -f "$SERVERS"/debs/*.deb # left by an interrupted run, perhaps half a file
  for package in "$@"; do if [[ $package == *=* ]]; then pinned+=("$package"); fi; done
  mapfile -t real < <(apt_private apt-cache show "$@" 2>/dev/null | sed -n 's/^Package: //p' | sort -u |
    grep -vxF "$(printf '%s\n' "${pinned[@]%%=*}" '?')")
  echo "packages:" "${pinned[@]}" "${real[@]}" | fold -s -w 150
  (
    cd "$SERVERS/debs" || exit 1
    apt_private apt-get -qq download "${pinned[@]}" "${real[@]}"
    for package in ./*.deb; do dpkg -x "$package" "$root"; done
    rm -f ./*.deb
  )
  chmod -R a+rX "$root"
}

fetch_postgresql() {
  local server
  apt_lists
  server=$(apt_private apt-cache depends postgresql | grep -oE 'postgresql-[0-9]+' | head -1)
  unpack_packages "$server" "${server/postgresql-/postgresql-client-}"
}
fetch_rabbitmq() {
  unpack_packages rabbitmq-server
  local erl
  erl=$(UNPACKED)/usr/lib/erlang/bin/erl
  # Debian writes its own root folder into erl (which is not there when the machine has Erlang already)
  if [ -f "$erl" ]; then sed -i "s#ROOTDIR=/usr/lib/erlang#ROOTDIR=$(UNPACKED)/usr/lib/erlang#" "$erl"; fi
}
fetch_redis() { unpack_packages redis-server redis-tools; }
fetch_espeak() { unpack_packages espeak-ng; }

# Node and npm out of Debian's packages. Debian's node loads five of its own scripts by absolute path: these become
# relative ones of the same length, and node is started in the unpacked root.
fetch_npm() {
  local package library scripts=() libraries=() root
  root=$(UNPACKED)
  apt_lists
  library=$(apt_private apt-cache pkgnames libnode | grep -E '^libnode[0-9]+$' | sort -V | tail -1)
  mapfile -t scripts < <(npm_scripts npm "$library")
  for package in $(all_below "$library" | servers_need); do is_installed "$package" || libraries+=("$package"); done
  download_and_unpack npm "$(debian_nodejs)" "$library" "${scripts[@]}" "${libraries[@]}"
  sed -i 's#/usr/share/nodejs/#usr/share/nodejs//#g' "$root"/usr/lib/x86_64-linux-gnu/libnode.so.*
  ln -sfn . "$root/usr/share/nodejs/node_modules"
}

# npm_scripts PACKAGES...: the node-* packages below them, level by level, without walking into those that only build
# or test JavaScript: with them it would be three times as many.
NPM_LEVELS=10
NPM_DOES_NOT_NEED='^node-(babel|caniuse|chokidar|core-js|browserslist|electron|enhanced|es-|eslint|icss|istanbul|jest|lodash|memfs|n3$|regenerate|regexpu|schema|tape$|terser|v8flags|webassembly|webpack)'
npm_scripts() {
  local level next seen='' frontier="$*"
  for ((level = 0; level < NPM_LEVELS; level++)); do
    # shellcheck disable=SC2086 # a list of names
    next=$(apt_private apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances $frontier |
      sed -n 's/^ *\(Depends: \)\{0,1\}\(node-[^ <>]*\)$/\2/p' | grep -vE "$NPM_DOES_NOT_NEED" | sort -u | grep -vxF "$seen?" || true)
    [ -n "$next" ] || break
    seen+=$next$'\n' frontier=$next
  done
  printf %s "$seen"
}

# Another source may offer a newer nodejs that has no npm of Debian's.
debian_nodejs() {
  local version
  version=$(apt_private apt-cache madison nodejs | awk -F'|' '$2 ~ /dfsg/ {gsub(/ /, "", $2); print $2; exit}')
  echo "nodejs${version:+=$version}"
}

npm_ready() {
  if [ "$INFRA_MODE" != unpack ] && command -v npm >/dev/null && npm --version >/dev/null 2>&1; then return 0; fi
  [ -e "$SERVERS/stamp/npm" ] && [ "$(cat "$SERVERS/stamp/npm")" = "$SERVERS" ]
}

# npm_pack PACKAGE VERSION FOLDER: the package's archive, as FOLDER/*.tgz.
npm_pack() {
  local root
  root=$(UNPACKED)
  export npm_config_cache=$SERVERS/npm-cache npm_config_update_notifier=false
  if [ "$INFRA_MODE" != unpack ] && command -v npm >/dev/null; then
    (cd "$3" && npm pack --silent "$1@$2")
  else
    (
      cd "$root" || exit 1
      LD_LIBRARY_PATH=$(library_path) NODE_PATH=$root/usr/share/nodejs \
        usr/bin/node usr/share/nodejs/npm/bin/npm-cli.js pack --silent --pack-destination "$3" "$1@$2"
    )
  fi
}

# fetch_native PACKAGE VERSION FILE-IN-PACKAGE TARGET SHA256
fetch_native() {
  local work
  work=$(mktemp -d "$INFRA/native/.get.XXXXXX")
  npm_pack "$1" "$2" "$work"
  tar -xzf "$work"/*.tgz -C "$work" "package/$3"
  if ! has_sum "$work/package/$3" "$5"; then
    echo "$1@$2: $3 does not have the expected SHA-256 $5"
    sha256sum "$work/package/$3"
    rm -rf "$work"
    return 1
  fi
  chmod 644 "$work/package/$3"
  mv -f "$work/package/$3" "$INFRA/native/$4"
  rm -rf "$work" "$SERVERS/npm-cache"
}

has_sum() { [ -s "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]; }
