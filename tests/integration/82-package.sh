#!/bin/bash
# The Debian package: lintian has nothing to say, it goes into a clean root, works there, and leaves nothing behind. Its units are
# started by a real systemd, which runs that root in namespaces of its own.
# The root is a minimal Debian with what the package depends on and recommends, kept in the cache of scripts/services;
# with LONG=1 without any of it, so that apt must find it.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/debian.sh
. "$TESTS/debian.sh"
setup
root=$TESTS/..
for tool in dpkg-shlibdeps lintian mmdebstrap; do
	command -v "$tool" >/dev/null || { skip 'package' "no $tool here; hint: scripts/packages package" && exit 0; }
done
if [ -n "${SAN:-}" ]; then
	skip 'package' 'not measured under sanitizers'
	exit 0
fi

# What `make deb` makes of what is built, twice.
for name in one two; do
	mkdir "$name"
	cp -r "$B/bin" "$name/"
	expect_exit 0 "deb: $name" env B="$WORK/$name" SOURCE_DATE_EPOCH=1700000000 "$root/scripts/deb/build" 1.2.3
done
package=$(cd one && echo csvp_1.2.3_*.deb)
check 'deb: twice the same bytes' cmp "one/$package" "two/$package"
lintian --allow-root "one/$package" >lint 2>&1 || true
is "$(grep -E '^[EW]:' lint || true)" '' 'lintian: neither errors nor warnings'
matches "$(dpkg-deb -f "one/$package" Depends)" 'libpq5.*libzstd1' 'the libraries are its dependencies'

if [ "$(id -u)" -ne 0 ]; then
	skip 'package in a clean root' 'only root makes one'
	exit 0
fi
wanted=postgresql,man-db,systemd
[ -n "${LONG:-}" ] || wanted=$wanted,$(dpkg-deb -f "one/$package" Depends | sed 's/, systemd |.*//; s/([^)]*)//g; s/ //g')
debian package "$wanted"
mkdir clean
tar -C clean -xpf "$BASE"
printf '#!/bin/sh\nexit 101\n' >clean/usr/sbin/policy-rc.d
chmod 755 clean/usr/sbin/policy-rc.d
cp /etc/resolv.conf clean/etc/
# Debian's own cluster is not what is tested.
rm -rf clean/etc/postgresql/*/main
cp "one/$package" "$DATA/navaids.csv" clean/tmp/

# within COMMAND...: in the clean root, with nothing of this one's environment.
within()
{
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		unshare --mount --pid --fork --mount-proc="$WORK/clean/proc" chroot "$WORK/clean" "$@"
}
# Its files, but for those that apt, dpkg and the users' data base keep for themselves.
files()
{
	(cd clean && find . \( -path ./proc -o -path ./dev -o -path ./tmp -o -path './var/lib/dpkg/*' -o -path './var/cache/*' -o \
		-path './var/lib/apt/*' -o -path './var/lib/systemd/*' -o -path './var/log/*' -o -path './etc/*-' -o -path './run/*' -o -name .pwd.lock \) -prune -o -print | sort)
}
mkdir -p clean/proc clean/dev
[ -e clean/dev/null ] || mknod -m 666 clean/dev/null c 1 3
[ -e clean/dev/urandom ] || mknod -m 666 clean/dev/urandom c 1 9
if [ -n "${LONG:-}" ]; then
	expect_exit 0 'apt knows what there is' within apt-get -qq update
	expect_exit 0 'and has all that it needs' within apt-get -qq -y satisfy "$(dpkg-deb -f "one/$package" Depends)"
fi
files >before
expect_exit 0 'apt installs it with what it needs' within apt-get -qq -y install "/tmp/$package"
matches "$(within getent passwd csvp)" ':/var/lib/csvp-services:' 'its services have a user'
is "$(within stat -c '%U %a' /var/lib/csvp-services)" 'csvp 750' 'and a folder'
expect_exit 0 'csvp-run works there' within sh -c '
	csvp-run -q -d navaids -k id /tmp/navaids.csv && csvp-search -d navaids "williams harbour" --format csv && csvp-admin down -q'
matches "$(cat out)" 'Williams Harbour' 'and what it loaded is found'
matches "$(within sh -c 'MANPAGER=cat man csvp-load')" 'Load|load chunks' 'man csvp-load shows'
matches "$(within sh -c 'MANPAGER=cat man csvp')" 'CSV files into PostgreSQL tables' 'man csvp shows'

# as_csvp COMMAND...: as the user of the services, where systemd runs.
as_csvp()
{
	booted setpriv --reuid=csvp --regid=csvp --clear-groups env CSVP_HOME=/var/lib/csvp-services "$@"
}

# property NAME UNIT: what systemd says of it.
property()
{
	booted systemctl show -P "$1" "csvp-$2"
}

is_property()
{
	[ "$(property "$1" "$2")" = "$3" ]
}

asked()
{
	env -i REQUEST_METHOD=GET REQUEST_URI="$1" cgi-fcgi -bind -connect \
		"/proc/$(first)/root/run/csvp/api.sock"
}

api_answers()
{
	asked /api/health/ready >out 2>&1 && grep -q '^Status: 200' out
}

# A chunk is being loaded, by a worker that takes long.
loading()
{
	[[ $(as_csvp csvp-status --json 2) == *'"running":1'* ]]
}

units()
{
	local unit
	expect_exit 0 'systemd-analyze verify' within systemd-analyze verify csvp-workers.service csvp-api.service
	is "$(cat out err)" '' 'systemd-analyze verify: has nothing to say'
	for unit in workers api; do
		expect_exit 0 "csvp-$unit: exposed to little" within systemd-analyze security --offline=yes --threshold=25 "csvp-$unit.service"
	done
	rm clean/usr/sbin/policy-rc.d
	cp "$DATA/regions.csv" clean/srv/
	if ! boot "$WORK/clean"; then
		skip 'units under systemd' "it does not start here: $(tail -n 1 boot.log)"
		return
	fi
	expect_exit 0 'the services start' booted systemctl enable --now csvp-workers csvp-api
	expect_exit 0 'a file is handed to the workers' as_csvp csvp-upload -q --enqueue -d regions -k id /srv/regions.csv
	expect_exit 0 'who load and index it' as_csvp csvp-status --wait --timeout 120s 1
	check 'the API answers at its socket' wait_until api_answers
	asked '/api/datasets/regions/search?q=canillo' >out
	matches "$(cat out)" '^Status: 401' 'and lets nobody in without a token'

	as_csvp csvp-admin psql -qXc "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END'" \
		-c 'CREATE TRIGGER slow BEFORE INSERT OR UPDATE ON public.regions FOR EACH ROW EXECUTE FUNCTION public.slow()'
	sed 's/Canillo/Canilo/' "$DATA/regions.csv" >clean/srv/later.csv
	as_csvp csvp-upload -q --enqueue -d regions -k id /srv/later.csv >out
	check 'a chunk is being loaded' wait_until loading
	expect_exit 0 'the workers are stopped meanwhile' booted systemctl stop csvp-workers
	is "$(property Result workers) $(property ExecMainStatus workers)" 'success 143' 'they hand back in time'
	matches "$(as_csvp csvp-status --json 2)" '"running":0,"loaded":0' 'and leave nothing half done'
	as_csvp csvp-admin psql -qXc 'DROP FUNCTION public.slow CASCADE' 2>out
	check 'the API has started the database again' wait_until api_answers
	booted systemctl start csvp-workers
	expect_exit 0 'started again they finish it' as_csvp csvp-status --wait --timeout 120s 2
	is "$(as_csvp csvp-search -d regions canilo --format csv | cut -d , -f 4 | sed -n 2p)" 'Canilo Parish' 'and what it holds is found'

	booted systemctl kill --signal=KILL --kill-whom=main csvp-workers
	check 'killed, they are started again' wait_until is_property NRestarts workers 1
	echo nonsense >clean/etc/csvp.conf
	mkdir clean/etc/csvp
	mv clean/etc/csvp.conf clean/etc/csvp/
	booted systemctl restart csvp-api || :
	check 'a wrong setting is not tried again and again' wait_until is_property ActiveState api failed
	is "$(property ExecMainStatus api) $(property NRestarts api)" '78 0' 'it is the configuration, says the status'
	rm -r clean/etc/csvp
	poweroff
	boot "$WORK/clean" || not_ok 'the machine is booted again' "$(cat boot.log)"
	check 'after a boot they run' wait_until is_property ActiveState workers active
	check 'both' wait_until api_answers
	expect_exit 0 'the books close' as_csvp csvp-admin verify
	expect_exit 0 'removed while they run' booted apt-get -qq -y remove csvp
	is "$(property ActiveState workers) $(property ActiveState api)" 'inactive inactive' 'removed: they are stopped'
	poweroff
}

units
expect_exit 0 'removed' within apt-get -qq -y remove csvp
is "$(within sh -c 'ls /usr/bin | grep ^csvp; ls /var/lib/csvp')" $'postgres\nstore' 'removed: the data stay'
rm -rf clean/var/lib/csvp clean/var/lib/csvp-services clean/srv/*
expect_exit 0 'purged' within apt-get -qq -y purge csvp
files >after
is "$(comm -13 before after)" '' 'purged: nothing is left'
