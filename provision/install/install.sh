#!/bin/sh
# Sets up this board as a node: user, groups, service, configuration. From an unpacked bundle, without internet and without
# questions. Run again with the same flags it changes nothing; from a newer bundle it upgrades in place.
set -eu
umask 022

USAGE='Usage: sudo ./install.sh --kafka HOST:PORT[,HOST:PORT] [FLAGS]    set up or upgrade this board
       sudo ./install.sh [--dry-run]                              upgrade, keep the configuration
       sudo ./install.sh --uninstall [--purge] [--dry-run]

Configuration; any of these writes /etc/ericht/ericht.yaml anew, unless it was edited by hand
  --kafka HOST:PORT      brokers, separated by commas
  --cluster-id NAME      the cluster that this board belongs to (default ericht)
  --node-id NAME         the name of this board (default its host name)
  --interval DURATION    between two reports (default 1s)
  --rail KEY=VALUE,...   a power chip, such as
                         label=main,measures=board,bus=1,address=0x40,shuntOhms=0.002; may be repeated
  --tls                  encrypted connections to Kafka, by the authorities of the system
  --ca-file FILE         encrypted connections to Kafka, by this authority; the file is copied
  --username NAME        login at Kafka, with --password-file
  --password-file FILE   the password, alone on its line; the file is copied
  --config FILE          a whole ericht.yaml instead of the flags above; the file is copied

Other flags
  --with-docker          let the agent use the Docker Engine: members of the group docker can become root
  --dry-run              say what would be done, change nothing
  --uninstall            remove the service and the program; the configuration and the waiting reports stay
  --purge                with --uninstall: remove these and the user, too
  -h, --help             this text'

ROOT=/opt/ericht
CONFIG=/etc/ericht/ericht.yaml
MADE=/etc/ericht/.made-by-install
PASSWORD=/etc/ericht/kafka-password
CA=/etc/ericht/kafka-ca.pem
UNIT=/etc/systemd/system/ericht-agent.service
DROP_IN=$UNIT.d/backoff.conf
RULES=/etc/udev/rules.d/60-ericht-i2c.rules
MODULES=/etc/modules-load.d/ericht.conf
LINK=/usr/local/bin/ericht
STATE=/var/lib/ericht
SERVICE=ericht-agent.service
ME=ericht
HERE=$(dirname "$(readlink -f "$0")")

kafka='' cluster='' node='' interval='' rails='' tls='' ca='' username='' password='' config=''
docker='' dry='' uninstall='' purge='' configured=''
changes=0 restart=''

fail() {
  printf 'install.sh: %s.\nNext: %s.\n' "$1" "$2" >&2
  exit "${3:-2}"
}
warn() { printf 'Warning: %s.\n' "$1" >&2; }
say() { printf '%s\n' "$1"; }

# step SENTENCE COMMAND...: a change, made or only told.
step() {
  changes=$((changes + 1))
  if [ "$dry" ]; then
    say "would $1"
    return
  fi
  say "$1"
  shift
  "$@"
}

plain() {
  case $2 in
    '') fail "$1 needs a value" "see ./install.sh --help" ;;
    *[\"\\\`\$]* | *"
"*) fail "$1 may not hold quotes, backslashes, \$ or line breaks" "use --config FILE for such values" ;;
  esac
}

arguments() {
  while [ $# -gt 0 ]; do
    flag=$1
    shift
    case $flag in
      --dry-run) dry=1 && continue ;;
      --uninstall) uninstall=1 && continue ;;
      --purge) purge=1 && continue ;;
      --with-docker) docker=1 && continue ;;
      --tls) tls=1 configured=1 && continue ;;
      -h | --help) say "$USAGE" && exit 0 ;;
    esac
    case $flag in
      --*=*) value=${flag#*=} flag=${flag%%=*} ;;
      --kafka | --cluster-id | --node-id | --interval | --rail | --ca-file | --username | --password-file | --config)
        [ $# -gt 0 ] || fail "$flag needs a value" 'see ./install.sh --help'
        value=$1
        shift
        ;;
      *) fail "there is no flag $flag" 'see ./install.sh --help' ;;
    esac
    plain "$flag" "$value"
    configured=1
    case $flag in
      --kafka) kafka=$value ;;
      --cluster-id) cluster=$value ;;
      --node-id) node=$value ;;
      --interval) interval=$value ;;
      --rail) rails="$rails$value
" ;;
      --ca-file) ca=$value tls=1 ;;
      --username) username=$value ;;
      --password-file) password=$value ;;
      --config) config=$value ;;
      *) fail "there is no flag $flag with a value" 'see ./install.sh --help' ;;
    esac
  done
  if [ "$config" ] && [ "$kafka$cluster$node$interval$rails$tls$username$password" ]; then
    fail '--config is a whole configuration' 'leave out the other flags of the configuration, or --config'
  fi
  if [ "$purge" ] && [ ! "$uninstall" ]; then fail '--purge goes with --uninstall' 'see ./install.sh --help'; fi
  if [ "${username:+1}" != "${password:+1}" ]; then
    fail '--username and --password-file belong together' 'give both or neither'
  fi
  for file in "$ca" "$password" "$config"; do
    [ ! "$file" ] || [ -r "$file" ] || fail "cannot read $file" 'name a file that is there'
  done
}

preflight() {
  [ "$(id -u)" = 0 ] || fail 'this needs root' 'run it with sudo'
  [ -d /run/systemd/system ] || fail 'systemd does not run here' 'run it on the board itself, or use the container image'
  for tool in sha256sum useradd groupadd usermod getent df du cmp install; do
    command -v $tool >/dev/null || fail "there is no $tool" 'install the packages coreutils, passwd and diffutils'
  done
}

# The bundle is whole, is meant for this board, and fits on it.
check_bundle() {
  for part in bin/node lib/ericht.mjs package.json SHA256SUMS ericht-agent.service; do
    [ -f "$HERE/$part" ] || fail "this is not an unpacked bundle: there is no $part in $HERE" 'unpack the archive and run the install.sh in it'
  done
  cpu=$(sed -n 's/.*"cpu":\["\([a-z0-9]*\)"\].*/\1/p' "$HERE/package.json")
  case $(uname -m) in aarch64 | arm64) own=arm64 ;; x86_64) own=x64 ;; *) own=$(uname -m) ;; esac
  [ "$cpu" = "$own" ] || fail "this bundle is for $cpu, this board is $own" "take the bundle that is named linux-$own, if there is one"
  "$HERE/bin/node" -e 0 2>/dev/null ||
    fail 'the Node.js of this bundle does not run here' 'install a 64-bit system with glibc 2.28 or newer, such as Raspberry Pi OS (64-bit)'
  (cd "$HERE" && sha256sum --quiet -c SHA256SUMS >/dev/null 2>&1) ||
    fail 'the bundle is damaged: SHA256SUMS does not fit' 'copy it to the board again and unpack it anew'
  digest=$(sha256sum "$HERE/SHA256SUMS" | cut -c1-8)
  version=$(sed -n 's/.*"version":"\([^"]*\)".*/\1/p' "$HERE/package.json")-$digest
  target=$ROOT/versions/$version
  [ -d "$target" ] && return
  parent=$ROOT
  while [ ! -d "$parent" ]; do parent=$(dirname "$parent"); done
  need=$(($(du -sk "$HERE" | cut -f1) + 20480))
  free=$(df -Pk "$parent" | awk 'NR == 2 { print $4 }')
  [ "$free" -gt "$need" ] || fail "$parent has $((free / 1024)) MiB free, $((need / 1024)) are needed" 'make room and run this again'
}

quoted_list() { printf '%s' "$1" | sed 's/[^,]*/"&"/g; s/,/, /g'; }

# render PASSWORD_FILE CA_FILE: the configuration that the flags ask for.
render() {
  say '# Made by install.sh from its flags. Edit it if you like: then install.sh leaves it alone.'
  [ ! "$cluster" ] || say "clusterId: \"$cluster\""
  [ ! "$node" ] || say "nodeId: \"$node\""
  [ ! "$interval" ] || say "interval: \"$interval\""
  say 'transport: kafka'
  say 'kafka:'
  say "  brokers: [$(quoted_list "$kafka")]"
  if [ "$ca" ]; then say "  tls: { caFile: \"$2\" }"; elif [ "$tls" ]; then say '  tls: {}'; fi
  [ ! "$username" ] || say "  sasl: { username: \"$username\", passwordFile: \"$1\" }"
  [ "$rails" ] || return 0
  say 'rails:'
  printf '%s' "$rails" | while IFS= read -r rail; do
    mark='  - '
    printf '%s\n' "$rail" | tr ',' '\n' | while IFS= read -r pair; do
      key=${pair%%=*} value=${pair#*=}
      case $key:$value in
        label:* | measures:* | *:*[!0-9A-Fa-fx.]* | *:) value="\"$value\"" ;;
      esac
      say "$mark$key: $value"
      mark='    '
    done
  done
}

sum() { sha256sum "$1" | cut -d' ' -f1; }

check_docker() {
  [ ! "$docker" ] || getent group docker >/dev/null ||
    fail 'there is no group docker' 'install Docker first, or leave out --with-docker'
}

# What the configuration is to be, checked by the program that will read it, before anything is changed.
check_configuration() {
  wanted=''
  if [ "$configured" ]; then
    wanted=$TEMP/ericht.yaml
    probe=$TEMP/probe.yaml
    if [ "$config" ]; then
      cp "$config" "$wanted"
      cp "$config" "$probe"
    else
      [ "$kafka" ] || fail 'the brokers are missing' 'give --kafka HOST:PORT, such as --kafka 192.168.1.10:9092'
      render "$PASSWORD" "$CA" >"$wanted"
      render "$password" "$ca" >"$probe"
    fi
  elif [ -f "$CONFIG" ]; then
    probe=$CONFIG
  else
    fail 'this board has no configuration yet' 'give --kafka HOST:PORT, or --config FILE'
  fi
  if [ "$wanted" ] && [ -f "$CONFIG" ] && ! cmp -s "$wanted" "$CONFIG" && [ "$(cat "$MADE" 2>/dev/null)" != "$(sum "$CONFIG")" ]; then
    warn "$CONFIG was edited by hand and is kept; the flags are not applied. Remove it and run this again to have it made anew"
    wanted='' ca='' password='' probe=$CONFIG
  fi
  (cd / && "$HERE/bin/ericht" config check --config "$probe" >/dev/null 2>"$TEMP/complaint") || {
    sed 's/^ericht: /install.sh: /' "$TEMP/complaint" | sed "s#$probe#the configuration#" >&2
    fail 'the configuration is not one that the agent can use; nothing was changed' 'correct the flags, or the file, and run this again'
  }
}

user_and_groups() {
  getent group i2c >/dev/null || step 'make the group i2c' groupadd --system i2c
  getent passwd $ME >/dev/null ||
    step "make the user $ME" useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin $ME
  groups='i2c video'
  if [ "$docker" ]; then
    groups="$groups docker"
  fi
  for group in $groups; do
    getent group "$group" >/dev/null || [ "$dry" ] || continue
    case " $(id -nG $ME 2>/dev/null || :) " in *" $group "*) continue ;; esac
    [ "$group" != video ] || getent group video >/dev/null || continue
    restart=1
    step "add $ME to the group $group" usermod -a -G "$group" $ME
  done
}

copy_program() {
  draft=$target.partial
  rm -rf "$draft"
  mkdir -p "$ROOT/versions"
  cp -R "$HERE" "$draft"
  chown -R root:root "$draft"
  chmod -R u=rwX,go=rX "$draft"
  (cd "$draft" && sha256sum --quiet -c SHA256SUMS) || {
    rm -rf "$draft"
    fail "what was written to $ROOT is not what was read" 'look after the SD card: it may be failing' 1
  }
  mv -T "$draft" "$target"
}

# put SENTENCE MODE GROUP FROM TO: installs a file unless it is there just so.
put() {
  if [ -f "$5" ] && cmp -s "$4" "$5" && [ "$(stat -c '%a %U %G' "$5")" = "$2 root $3" ]; then return; fi
  restart=1
  step "$1" put_file "$2" "$3" "$4" "$5"
}
put_file() {
  mkdir -p "$(dirname "$4")"
  install -m "$1" -o root -g "$2" "$3" "$4.partial"
  mv -f "$4.partial" "$4"
}

files() {
  [ ! "$password" ] || put "write $PASSWORD" 640 $ME "$password" $PASSWORD
  [ ! "$ca" ] || put "write $CA" 644 root "$ca" $CA
  if [ "$wanted" ]; then
    put "write $CONFIG" 640 $ME "$wanted" $CONFIG
    [ "$dry" ] || [ "$(cat $MADE 2>/dev/null)" = "$(sum $CONFIG)" ] || sum $CONFIG >$MADE
    for secret in $PASSWORD $CA; do
      [ ! -f "$secret" ] || grep -q "$secret" "$wanted" || remove "$secret"
    done
  fi
  put "write $UNIT" 644 root "$HERE/ericht-agent.service" $UNIT
  systemd=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
  [ "${systemd:-0}" -lt 254 ] || put "write $DROP_IN" 644 root "$HERE/backoff.conf" $DROP_IN
  uses_bus=$(grep -c '^ *\(- \)\{0,1\}bus:' "${wanted:-$CONFIG}" 2>/dev/null || :)
  [ "${uses_bus:-0}" -gt 0 ] || return 0
  bus_files
}

bus_files() {
  if ! grep -qs 'GROUP="i2c"' /usr/lib/udev/rules.d/*.rules /lib/udev/rules.d/*.rules; then
    if [ ! -f $RULES ] || ! cmp -s "$HERE/60-ericht-i2c.rules" $RULES; then
      put "write $RULES" 644 root "$HERE/60-ericht-i2c.rules" $RULES
      [ "$dry" ] || { udevadm control --reload && udevadm trigger --subsystem-match=i2c-dev; } 2>/dev/null || :
    fi
  fi
  echo i2c-dev >"$TEMP/modules"
  put "write $MODULES, which loads i2c-dev at every boot" 644 root "$TEMP/modules" $MODULES
  [ "$dry" ] || modprobe i2c-dev 2>/dev/null || :
  sed -n 's/^ *\(- \)\{0,1\}bus: *\([0-9]*\).*/\2/p' "${wanted:-$CONFIG}" | sort -u | while read -r bus; do
    [ -e "/dev/i2c-$bus" ] || warn "there is no /dev/i2c-$bus: switch the bus on (Raspberry Pi: raspi-config nonint do_i2c 0), the agent then finds its chips"
  done
}

switch() {
  ln -sfn "versions/$1" $ROOT/current.partial
  mv -fT $ROOT/current.partial $ROOT/current
}

remember() {
  before=$(basename "$(readlink $ROOT/current 2>/dev/null || :)")
  for file in $CONFIG $MADE $UNIT $PASSWORD $CA; do
    [ ! -f "$file" ] || cp -p "$file" "$TEMP/before-$(basename "$file")"
  done
}

go_back() {
  for file in $CONFIG $MADE $UNIT $PASSWORD $CA; do
    kept=$TEMP/before-$(basename "$file")
    if [ -f "$kept" ]; then cp -p "$kept" "$file"; else rm -f "$file"; fi
  done
  switch "$before"
  systemctl daemon-reload
  systemctl restart $SERVICE
}

begin() {
  systemctl daemon-reload
  systemctl --quiet enable $SERVICE
  systemctl restart $SERVICE && return
  journalctl -q -n 5 -o cat -u $SERVICE 2>/dev/null | sed 's/^/  /' >&2 || :
  [ "$before" ] || fail 'the agent does not start' "journalctl -u $SERVICE tells more; correct it and run this again" 1
  go_back || fail 'the agent does not start, nor does the one before' "journalctl -u $SERVICE tells more" 1
  fail 'the agent does not start like this: everything is as before, and that agent runs again' 'see the lines above' 1
}

tidy_versions() {
  for folder in "$ROOT"/versions/*; do
    case $(basename "$folder") in "$version" | "$before") ;; *) rm -rf "$folder" ;; esac
  done
}

set_up() {
  check_bundle
  check_configuration
  check_docker
  remember
  user_and_groups
  [ -d "$target" ] || step "copy the program to $target" copy_program
  files
  if [ "$before" != "$version" ]; then
    restart=1
    step "make $version the current one" switch "$version"
  fi
  if [ "$(readlink $LINK 2>/dev/null || :)" != $ROOT/current/bin/ericht ]; then
    [ ! -e $LINK ] || [ -L $LINK ] || fail "$LINK is something else" 'move it away and run this again'
    step "link $LINK" ln -sfn $ROOT/current/bin/ericht $LINK
  fi
  systemctl --quiet is-active $SERVICE || restart=1
  systemctl --quiet is-enabled $SERVICE 2>/dev/null || restart=1
  [ ! "$restart" ] || step "start $SERVICE, now and at every boot" begin
  [ "$dry" ] || tidy_versions
}

remove() { step "remove $1" rm -rf "$1"; }

take_away() {
  if [ -f $UNIT ]; then
    step "stop $SERVICE" systemctl --quiet disable --now $SERVICE
    remove $UNIT
    [ ! -d $UNIT.d ] || [ ! -f $DROP_IN ] || remove $DROP_IN
    [ "$dry" ] || { rmdir $UNIT.d 2>/dev/null || : && systemctl daemon-reload; }
  fi
  [ ! -L $LINK ] || [ "$(readlink $LINK)" != $ROOT/current/bin/ericht ] || remove $LINK
  for path in $RULES $MODULES $ROOT /run/ericht; do [ ! -e "$path" ] || remove "$path"; done
  if [ "$purge" ]; then
    for path in /etc/ericht $STATE; do [ ! -e "$path" ] || remove "$path"; done
    ! getent passwd $ME >/dev/null || step "remove the user $ME" userdel $ME
    ! getent group $ME >/dev/null || [ "$dry" ] || groupdel $ME
  elif [ -e /etc/ericht ] || [ -e $STATE ]; then
    say "kept: /etc/ericht, $STATE and the user $ME (--purge removes them)"
  fi
}

arguments "$@"
preflight
TEMP=$(mktemp -d)
trap 'rm -rf "$TEMP"' EXIT
trap 'exit 1' HUP INT TERM
if [ "$uninstall" ]; then take_away; else set_up; fi
if [ $changes = 0 ]; then
  say 'Nothing to change.'
elif [ "$dry" ]; then
  say "$changes changes would be made; none was."
elif [ "$uninstall" ]; then
  say 'Removed.'
else
  say "Done: $(ericht version 2>/dev/null || "$HERE/bin/ericht" version) runs as $SERVICE."
fi
