#!/bin/sh
# Both commands of the README on machines that have Python and certificates and nothing else: makes minimal roots of
# Debian, copies a clean checkout in, runs `./ioc demo`, `status`, `down` and `./ioc test` there, and compares all files
# outside the checkout before and after.
#
#   sudo tests/bare/run.sh                                   all suites, all accounts, demo and the whole of the tests
#   sudo tests/bare/run.sh --suites trixie --as user         one of them
#   sudo tests/bare/run.sh --no-demo -- tests/browser -x     what follows -- goes to `./ioc test`
#   sudo tests/bare/run.sh --no-test                         the demo alone
#
# Needs root, debootstrap (or its path in DEBOOTSTRAP), unshare and about 6 GB below TMPDIR for each root. Package mirror,
# proxies, name servers and pip's settings are this machine's own. A root is removed afterwards; --keep keeps it.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
suites='bookworm trixie' accounts='root-022 root-077 user' demo=yes test=yes keep=no
while [ $# -gt 0 ]; do
  case $1 in
    --suites) suites=$2; shift 2 ;;
    --as) accounts=$2; shift 2 ;;
    --no-demo) demo=no; shift ;;
    --no-test) test=no; shift ;;
    --keep) keep=yes; shift ;;
    --) shift; break ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
done

say() { printf '== %s\n' "$*"; }

# The first address of the distribution's own archive in this machine's sources.
mirror() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -nE 's/^URIs:[[:space:]]*([^[:space:]]+).*/\1/p; s/^deb([[:space:]]+\[[^]]*\])?[[:space:]]+([^[:space:]]+).*/\2/p' |
    grep -E '/debian/?$' | head -n 1
}

make_root() {
  "${DEBOOTSTRAP:-debootstrap}" --variant=minbase --include=python3,ca-certificates "$2" "$1" "$(mirror)" >"$1.log" 2>&1 ||
    { tail -n 20 "$1.log"; exit 1; }
  for file in /etc/resolv.conf /etc/hosts /etc/pip.conf; do
    [ ! -e "$file" ] || cp -L "$file" "$1$file"
  done
  grep -lsi proxy /etc/apt/apt.conf /etc/apt/apt.conf.d/* | while read -r file; do cp "$file" "$1/etc/apt/apt.conf.d/"; done
  [ ! -d /usr/local/share/ca-certificates ] || cp -r /usr/local/share/ca-certificates "$1/usr/local/share/"
  chroot "$1" update-ca-certificates >/dev/null 2>&1
  chroot "$1" useradd --create-home --shell /bin/sh tester
}

# Every path outside the checkout with its kind, mode, owner and content, but for what is temporary by its place.
list() (
  cd "$1"
  set -- ./proc ./sys ./dev ./tmp ./var/tmp "./$2"
  except=$(printf ' -o -path %s' "$@")
  find . -xdev \( ${except# -o} \) -prune -o -printf '%y %m %u %p %l\n' | sort -k 4
  find . -xdev \( ${except# -o} \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
)

# Runs a line of shell in the root, as its account, with processes of its own that end with it.
inside() {
  root=$1 who=$2 mask=$3 place=$4 line=$5
  cat >"$root.sh" <<EOF
set -e
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 dev "$root/dev"
mkdir "$root/dev/shm" && mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
for node in null zero full random urandom tty; do : >"$root/dev/\$node"; mount --bind "/dev/\$node" "$root/dev/\$node"; done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/pts" && mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
exec chroot $([ "$who" = root ] || echo "--userspec=$who:$who") "$root" /usr/bin/env -i \
  HOME="$([ "$who" = root ] && echo /root || echo "/home/$who")" USER=$who PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin \
  $(env | grep -E '^(https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY|PIP_INDEX_URL|PIP_TRUSTED_HOST|PIP_CERT)=' | tr '\n' ' ') \
  /bin/sh -c 'umask $mask; cd "/$place" && $line'
EOF
  unshare --mount --pid --fork --kill-child /bin/sh "$root.sh"
}

failed=''
for suite in $suites; do
  for account in $accounts; do
    case $account in
      root-*) who=root mask=${account#root-} place=srv/ioc ;;
      user) who=tester mask=022 place=home/tester/ioc ;;
    esac
    base=$(mktemp -d "${TMPDIR:-/var/tmp}/ioc-bare.XXXXXX")
    root=$base/root
    chmod 755 "$base"
    mkdir "$root"
    say "$suite, $account: making a root"
    make_root "$root" "$suite"
    mkdir -p "$root/$place"
    # What is committed, as its account would have cloned it.
    (umask "$mask" && git -C "$here" archive HEAD | tar --no-same-permissions -x -C "$root/$place")
    chown -R --reference="$root/$([ "$who" = root ] && echo root || echo "home/$who")" "$root/$place"
    [ "$mask" != 077 ] || chmod 700 "$root/$place"
    list "$root" "$place" >"$base/before"
    if [ "$demo" = yes ]; then
      say "$suite, $account: ./ioc demo"
      inside "$root" "$who" "$mask" "$place" './ioc demo && ./ioc status && ./ioc down' >"$base/demo.log" 2>&1 ||
        { failed="$failed $suite/$account/demo"; tail -n 40 "$base/demo.log"; }
    fi
    if [ "$test" = yes ]; then
      say "$suite, $account: ./ioc test $*"
      inside "$root" "$who" "$mask" "$place" "./ioc test $*" >"$base/test.log" 2>&1 || failed="$failed $suite/$account/test"
      tail -n 15 "$base/test.log"
    fi
    list "$root" "$place" >"$base/after"
    if diff "$base/before" "$base/after" >"$base/changed"; then
      say "$suite, $account: nothing outside the checkout has changed"
    else
      failed="$failed $suite/$account/files"
      say "$suite, $account: changed outside the checkout:"
      cat "$base/changed"
    fi
    [ "$keep" = yes ] && say "kept: $base" || rm -rf "$base"
  done
done
[ -z "$failed" ] || { say "failed:$failed"; exit 1; }
say 'all well'
