#!/bin/sh
# Sets up this board as a node: user, groups, service, configuration. From an unpacked bundle, without internet and without
# questions. Run again with the same flags it changes nothing; from a newer bundle it upgrades in place.
set -eu
umask 022
PATH=$PATH:/usr/sbin:/sbin

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
# Held while a run lasts; it is empty once all that was changed also runs. A reboot starts everything anew, and empties it.
UNFINISHED=/run/ericht-install
SERVICE=ericht-agent.service
ME=ericht
HERE=$(dirname "$(readlink -f "$0")")

changes=0 restart='' doing='' told='' TEMP=''

fail() {
  told=1
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
  doing=$1
  echo "$1" >>$UNFINISHED
  say "$1"
  shift
  "$@"
}

# Whatever stops it: the next step is named.
leave() {
  status=$?
  rm -rf "$TEMP"
  if [ $status = 0 ] || [ "$told" ]; then return; fi
  printf 'install.sh: stopped %s.\nNext: put right what stands above, if anything, and run this again.\n' \
    "${doing:+at: }${doing:-before anything was changed}" >&2
}

preflight() {
  [ "$(id -u)" = 0 ] || fail 'this needs root' 'run it with sudo'
  [ -d /run/systemd/system ] || fail 'systemd does not run here' 'run it on the board itself, or use the container image'
  for tool in sha256sum useradd groupadd usermod getent df du cmp install flock; do
    command -v $tool >/dev/null || fail "there is no $tool" 'install the packages coreutils, util-linux, passwd and diffutils'
  done
  [ ! "$dry" ] || return 0
  exec 9>>$UNFINISHED
  flock -n 9 || fail 'another install.sh is at work on this board' 'wait until it has ended, and run this again'
}

whole() { (cd "$1" && sha256sum --quiet -c SHA256SUMS) >/dev/null 2>&1; }

# The bundle is whole, is meant for this board, and fits on it.
check_bundle() {
  for part in bin/node lib/ericht.mjs package.json SHA256SUMS ericht-agent.service; do
    [ -f "$HERE/$part" ] || fail "this is not an unpacked bundle: there is no $part in $HERE" 'unpack the archive and run the install.sh in it'
  done
  cpu=$(sed -n 's/.*"cpu":\["\([a-z0-9]*\)"\].*/\1/p' "$HERE/package.json")
  case $(uname -m) in aarch64 | arm64) own=arm64 ;; x86_64) own=x64 ;; *) own=$(uname -m) ;; esac
  [ "$cpu" = "$own" ] || fail "this bundle is for $cpu, this board is $own" "take the bundle that is named linux-$own, if there is one"
  case $ROOT/versions in
    "$HERE"/*) fail "the bundle is unpacked where the program goes, in $HERE" 'unpack it in a folder of its own' ;;
  esac
  "$HERE/bin/node" -e 0 2>/dev/null || {
    [ $? != 126 ] || fail "nothing may be run from $HERE" 'unpack the archive on a file system without noexec, such as below /root'
    fail 'the Node.js of this bundle does not run here' 'install a 64-bit system with glibc 2.28 or newer, such as Raspberry Pi OS (64-bit)'
  }
  whole "$HERE" ||
    fail 'the bundle is damaged: SHA256SUMS does not fit' 'copy it to the board again and unpack it anew'
  digest=$(sha256sum "$HERE/SHA256SUMS" | cut -c1-8)
  version=$(sed -n 's/.*"version":"\([^"]*\)".*/\1/p' "$HERE/package.json")-$digest
  target=$ROOT/versions/$version
  present=''
  if whole "$target"; then present=1 && return; fi
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

check_surroundings() {
  [ ! -e $LINK ] || [ -L $LINK ] || fail "$LINK is something else" 'move it away and run this again'
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
  if [ "$wanted" ] && [ -f "$CONFIG" ] && ! cmp -s "$wanted" "$CONFIG" && ! grep -qsx "$(sum "$CONFIG")" $MADE; then
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
  own=--user-group
  ! getent group $ME >/dev/null || own=--gid=$ME
  getent passwd $ME >/dev/null ||
    step "make the user $ME" useradd --system "$own" --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin $ME
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
  # What else lies there is nobody else's business.
  { sed 's/^[0-9a-f]*  //' "$HERE/SHA256SUMS" && echo SHA256SUMS; } | while IFS= read -r file; do
    mkdir -p "$(dirname "$draft/$file")"
    cp "$HERE/$file" "$draft/$file"
  done
  chown -R root:root "$draft"
  chmod -R u=rwX,go=rX "$draft"
  whole "$draft" || {
    rm -rf "$draft"
    fail "what was written to $ROOT is not what was read" 'look after the SD card: it may be failing' 1
  }
  # A power cut must not leave a folder that looks whole.
  sync
  rm -rf "$target"
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
    # Before it is there: what an interrupted run has written is not taken for somebody's edit.
    [ "$dry" ] || grep -qsx "$(sum "$wanted")" $MADE || { mkdir -p /etc/ericht && sum "$wanted" >>$MADE; }
    put "write $CONFIG" 640 $ME "$wanted" $CONFIG
    for secret in $PASSWORD $CA; do
      [ ! -f "$secret" ] || grep -q "$secret" "$wanted" || remove "$secret"
    done
  fi
  put "write $UNIT" 644 root "$HERE/ericht-agent.service" $UNIT
  systemd=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
  [ "${systemd:-0}" -lt 254 ] || put "write $DROP_IN" 644 root "$HERE/backoff.conf" $DROP_IN
  [ ! "$(buses)" ] || bus_files
}

# The numbers of the buses in the configuration, one a line.
buses() {
  sed 's/#.*//' "${wanted:-$CONFIG}" 2>/dev/null | tr ',' '\n' | tr '{' '\n' | sed -n 's/^[- ]*bus: *\([0-9][0-9]*\).*/\1/p' | sort -u
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
  buses | while read -r bus; do
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
  : >$UNFINISHED
}

begin() {
  sync
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
  check_surroundings
  remember
  [ ! -s $UNFINISHED ] || restart=1
  user_and_groups
  if [ ! "$present" ]; then
    restart=1
    step "copy the program to $target" copy_program
  fi
  files
  if [ "$before" != "$version" ]; then
    restart=1
    step "make $version the current one" switch "$version"
  fi
  if [ "$(readlink $LINK 2>/dev/null || :)" != $ROOT/current/bin/ericht ]; then
    [ "$dry" ] || mkdir -p "$(dirname $LINK)"
    step "link $LINK" ln -sfn $ROOT/current/bin/ericht $LINK
  fi
  systemctl --quiet is-active $SERVICE || restart=1
  systemctl --quiet is-enabled $SERVICE 2>/dev/null || restart=1
  [ ! "$restart" ] || step "start $SERVICE, now and at every boot" begin
  [ "$dry" ] || tidy_versions
}

remove() { step "remove $1" rm -rf "$1"; }

take_away() {
  [ ! -f $DROP_IN ] || remove $DROP_IN
  if [ -f $UNIT ]; then
    step "stop $SERVICE" systemctl --quiet disable --now $SERVICE
    remove $UNIT
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

[ -f "$HERE/arguments.sh" ] || fail "this is not an unpacked bundle: there is no arguments.sh in $HERE" 'unpack the archive and run the install.sh in it'
. "$HERE/arguments.sh"
arguments "$@"
preflight
trap leave EXIT
trap 'exit 130' HUP INT TERM
TEMP=$(mktemp -d)
if [ "$uninstall" ]; then take_away; else set_up; fi
[ "$dry" ] || : >$UNFINISHED
if [ $changes = 0 ]; then
  say 'Nothing to change.'
elif [ "$dry" ]; then
  say "$changes changes would be made; none was."
elif [ "$uninstall" ]; then
  say 'Removed.'
else
  say "Done: $(ericht version 2>/dev/null || "$HERE/bin/ericht" version) runs as $SERVICE."
fi
