#!/bin/bash
# Runs on the board of a test: sets and reads the registers of the stand-in INA226s, and lets kernel drivers have them.
# Words are written as the datasheet writes them; an SMBus word has its bytes the other way round.
#
#   chip bus                                       its number
#   chip write ADDRESS REGISTER=WORD...
#   chip read ADDRESS REGISTER...                  a word per line
#   chip bind NAME ADDRESS...                      gives them to the driver of this name
#   chip unbind ADDRESS...
set -euo pipefail
shopt -s inherit_errexit

# Other adapters of the machine may have taken the lower numbers.
find_bus() {
  local file name
  for file in /sys/class/i2c-dev/i2c-*/name; do
    read -r name <"$file" || continue
    if [ "$name" = 'SMBus stub driver' ]; then
      file=${file%/name}
      bus=${file##*-}
      return
    fi
  done
  echo 'the stand-in is not loaded' >&2
  return 1
}

swap() { printf -v swapped '0x%04x' $(((($1 & 0xff) << 8) | (($1 >> 8) & 0xff))); }

verb=$1
shift
find_bus
adapter=/sys/bus/i2c/devices/i2c-$bus

case $verb in
  bus) echo "$bus" ;;
  # -f: also while a driver has it. The stand-in is nobody's but the test's.
  write)
    for pair in "${@:2}"; do
      swap "${pair#*=}"
      i2cset -f -y "$bus" "$1" "${pair%=*}" "$swapped" w
    done
    ;;
  read)
    for register in "${@:2}"; do
      word=$(i2cget -f -y "$bus" "$1" "$register" w)
      swap "$word"
      echo "$swapped"
    done
    ;;
  bind) for address in "${@:2}"; do echo "$1 $address" >"$adapter/new_device"; done ;;
  unbind) for address; do echo "$address" >"$adapter/delete_device"; done ;;
  *)
    echo "unknown: $verb" >&2
    exit 2
    ;;
esac
