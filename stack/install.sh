#!/bin/sh
# Installs what Debian or Ubuntu lacks: `stack/install.sh run` for the demonstration, `test` also for the tests.
# Without root, sudo or apt it says what is missing and goes on: the programs then do without, each in its own words.
set -eu
run="python3-venv postgresql libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-wqy-microhei pcscd vsmartcard-vpcd libpcsclite-dev gcc python3-dev openssl"
test="chromium xmlsec1 rabbitmq-server softhsm2 opensc opensc-pkcs11"
wanted="$run"
[ "${1:-run}" = test ] && wanted="$run $test"
missing=""
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
# a PostgreSQL server of any packaging will do
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && missing=$(printf '%s' "$missing" | sed 's/ postgresql\b//')
[ -z "$missing" ] && exit 0
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo"
if ! command -v apt-get >/dev/null 2>&1 || { [ -n "$as_root" ] && ! command -v sudo >/dev/null 2>&1; }; then
    echo "please install:$missing" >&2
    exit 0
fi
echo "installing:$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
