#!/bin/sh
# Installs the real servers the tests talk to, and only when asked: CI=true or PEERS=install.
# Without them their tests are skipped, each with its reason; with CI=true a skip is a failure.
set -eu
packages="bind9 chromium chromium-driver etcd-server gcc knot libc6-dev pdns-backend-sqlite3 pdns-server postgresql spin"

[ "${CI:-}" = true ] || [ "${PEERS:-}" = install ] || exit 0
missing=""
for package in $packages; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "peers: installing$missing"
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
$as_root apt-get -qq update
# No service is started: the tests start their own servers on free loopback ports.
printf '#!/bin/sh\nexit 101\n' | $as_root tee /usr/sbin/policy-rc.d >/dev/null
$as_root chmod 755 /usr/sbin/policy-rc.d
status=0
# shellcheck disable=SC2086 # a list of words on purpose
DEBIAN_FRONTEND=noninteractive $as_root apt-get -qq install -y --no-install-recommends $missing >/dev/null || status=$?
$as_root rm -f /usr/sbin/policy-rc.d
exit $status
