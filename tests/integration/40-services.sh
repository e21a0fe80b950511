#!/bin/bash
# scripts/services: servers of one's own, beside those of others, that keep data and port over a restart.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup

# Whatever the caller has ready: this is about our own.
unset CSVP_TEST_CACHE_URL CSVP_TEST_STORE_URL
with_services redis versitygw

set_of()
{
	services env "$1" | sed -n "s/^export $2=//p"
}
pid_of()
{
	cut -d ' ' -f 1 "$CSVP_SERVICES_DIR/$1/pid"
}

matches "$CSVP_CACHE_URL" '^redis://127\.0\.0\.1:[0-9]+$' 'env names a redis on the loopback'
is "$CSVP_STORE_URL $AWS_ACCESS_KEY_ID" 's3://csvp/uploads csvp' 'env names a bucket and its credentials'
before=$CSVP_CACHE_URL
pid=$(pid_of redis)
services start redis
is "$(pid_of redis)" "$pid" 'what runs is not started again'

other=$(CSVP_SERVICES_DIR=$WORK/other services start redis && CSVP_SERVICES_DIR=$WORK/other services env redis)
check 'a second one runs beside it, on another port' [ "$other" != "export CSVP_CACHE_URL=$before" ]
CSVP_SERVICES_DIR=$WORK/other services stop
check 'stop ends only what this one started' kill -0 "$pid"

touch "$CSVP_SERVICES_DIR/versitygw/data/kept"
services kill redis versitygw
is "$(ps -o stat= -p "$pid" | grep -v Z)" '' 'a killed server has gone when kill returns'
expect_exit 69 'env of a server that is not running' services env redis
services start redis versitygw
is "$(set_of redis CSVP_CACHE_URL)" "$before" 'it comes back at the same address'
check 'with the same data' [ -e "$CSVP_SERVICES_DIR/versitygw/data/kept" ]

is "$(CSVP_TEST_CACHE_URL=redis://there:1 services env redis)" 'export CSVP_CACHE_URL=redis://there:1' \
	'a ready-made server is taken instead'
expect_exit 64 'a server there is not' services start nosuch
expect_exit 66 'one that is not installed' env CSVP_CACHE_DIR="$WORK/empty" CSVP_SERVICES_DIR="$WORK/third" \
	"$TESTS/../scripts/services" start redis
