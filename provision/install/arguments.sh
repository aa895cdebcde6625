# The flags of install.sh, which reads this file: what they mean, and how they come into its variables.
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

kafka='' cluster='' node='' interval='' rails='' tls='' ca='' username='' password='' config=''
docker='' dry='' uninstall='' purge='' configured=''

plain() {
  case $2 in
    '') fail "$1 needs a value" "see ./install.sh --help" ;;
    *[\"\\\`\$]* | *"
"*) fail "$1 may not hold quotes, backslashes, \$ or line breaks" "use --config FILE for such values" ;;
  esac
}

spaceless() { printf '%s' "$1" | sed 's/ *, */,/g'; }

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
      --kafka) kafka=$(spaceless "$value") ;;
      --cluster-id) cluster=$value ;;
      --node-id) node=$value ;;
      --interval) interval=$value ;;
      --rail)
        value=$(spaceless "$value")
        ! printf '%s\n' "$value" | tr ',' '\n' | grep -qv '^[A-Za-z][A-Za-z]*=.' ||
          fail "--rail takes KEY=VALUE,..., not \"$value\"" 'see ./install.sh --help'
        rails="$rails$value
"
        ;;
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
    [ ! "$file" ] || { [ -f "$file" ] && [ -r "$file" ]; } || fail "cannot read $file" 'name a file that is there'
  done
  case $ca in '' | /*) ;; *) ca=$PWD/$ca ;; esac
  case $password in '' | /*) ;; *) password=$PWD/$password ;; esac
}
