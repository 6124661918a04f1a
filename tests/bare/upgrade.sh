#!/bin/sh
# An upgrade in place from earlier versions, as an operator does it: each is checked out, started and given the published
# month; then this checkout's version takes its place while everything runs. It must come up healthy, show the same
# figures, agree with its log and save itself.
#
#   tests/bare/upgrade.sh 994d7b6b e46848bc      from these revisions, one after the other
#
# Needs git, Python and about 3 GB below TMPDIR for each. A place is removed afterwards, with the centre in it; a failed
# one is stopped and kept. What figures differ is listed: a version may have counted otherwise, and CHANGELOG.md then
# says so.
set -eu

[ $# -gt 0 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
new=$(git -C "$here" rev-parse HEAD)
unset IOC_HOME IOC_INSTANCE IOC_DATA IOC_NATS_URL IOC_DATABASE_URL IOC_SECRETS IOC_USER
MONTH='--from 2024-11-01 --to 2024-11-30 --as-of 2024-11-30T23:59'

say() { printf '== %s\n' "$*"; }

# Every fifth figure of the earlier catalogue at the end of the published month: "code value", in the order of codes.
figures() {
  [ -s codes ] || ./ioc indicators | awk '{ for (i = 1; i < 3; i++) if ($i ~ /^[a-z0-9]+(_[a-z0-9]+)+$/) { print $i; next } }' | sort -u |
    awk 'NR % 5 == 0' >codes
  while read -r code; do
    # shellcheck disable=SC2086
    value=$(./ioc query "$code" $MONTH --format json </dev/null 2>/dev/null | sed -n 's/.*"value": *\([^,}]*\).*/\1/p' | head -n 1)
    printf '%s %s\n' "$code" "$value"
  done <codes
}

stored() { ./ioc status --json | tr ',' '\n' | sed -n 's/.*"events": *\([0-9]*\).*/\1/p' | awk '{ all += $1 } END { print all + 0 }'; }

# Until nothing more is stored for ten seconds.
settle() {
  before=-1
  while now=$(stored) && [ "$now" != "$before" ]; do
    before=$now
    sleep 10
  done
}

healthy() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
    ./ioc status >status.txt 2>&1 && return 0
    sleep 5
  done
  cat status.txt
  return 1
}

upgrade() (
  cd "$1"
  ./ioc up --detach
  ./ioc load november-2024
  settle
  figures >before.txt
  git checkout -q --detach "$new"
  ./ioc up --detach
  healthy
  settle
  figures >after.txt
  ./ioc rebuild --check
  ./ioc backup "$1/backup"
  # What the later version has no name for any more is not compared.
  join before.txt after.txt | awk '$2 != $3 { print; differ = 1 } END { exit differ }' || {
    say "these figures differ (code, before, after)"
    exit 1
  }
  [ "$(awk 'NF == 2' before.txt | wc -l)" -ge 20 ] || { say "too few figures are known to be compared"; exit 1; }
  say "$(join before.txt after.txt | wc -l) figures are the same, $(stored) events"
)

bad=0
for revision; do
  place=$(mktemp -d "${TMPDIR:-/var/tmp}/ioc-upgrade.XXXXXX")
  chmod 755 "$place"
  git clone -q "$here" "$place/checkout"
  git -C "$place/checkout" checkout -q --detach "$revision"
  say "from $revision ($(git -C "$place/checkout" show -s --format=%cs))"
  upgrade "$place/checkout" &  # not within the `if`, where the shell would go on after what fails
  if wait $!; then
    say "from $revision: all well"
  else
    say "from $revision: failed, see $place"
    bad=1
  fi
  (cd "$place/checkout" && ./ioc down) || true
  [ "$bad" = 1 ] || rm -rf "$place"
done
exit $bad
