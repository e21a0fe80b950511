#!/bin/bash
# The Debian package: lintian has nothing to say, it goes into a clean root, works there, and leaves nothing behind.
# The root is a minimal Debian with what the package depends on and recommends, kept in the cache of scripts/services;
# with LONG=1 without any of it, so that apt must find it.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
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
extra=postgresql,man-db,systemd-standalone-sysusers
base=$CSVP_CACHE_DIR/debian/bookworm-minimal.tar
if [ -z "${LONG:-}" ]; then
	extra=$extra,$(dpkg-deb -f "one/$package" Depends | sed 's/, systemd |.*//; s/([^)]*)//g; s/ //g')
	base=$CSVP_CACHE_DIR/debian/bookworm-package.tar
fi
if [ ! -e "$base" ]; then
	mkdir -p "${base%/*}"
	mmdebstrap --quiet --variant=minbase --include="$extra" bookworm "$base.$$.tar" >debootstrap.log 2>&1 || {
		skip 'package in a clean root' "mmdebstrap: $(tail -n 1 debootstrap.log)"
		rm -f "$base.$$.tar"
		exit 0
	}
	mv "$base.$$.tar" "$base"
fi
mkdir clean
tar -C clean -xpf "$base"
printf '#!/bin/sh\nexit 101\n' >clean/usr/sbin/policy-rc.d
chmod 755 clean/usr/sbin/policy-rc.d
cp /etc/resolv.conf clean/etc/
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
		-path './var/lib/apt/*' -o -path './var/log/*' -o -path './etc/*-' -o -path './run/*' -o -name .pwd.lock \) -prune -o -print | sort)
}
mkdir -p clean/proc clean/dev
[ -e clean/dev/null ] || mknod -m 666 clean/dev/null c 1 3
[ -e clean/dev/urandom ] || mknod -m 666 clean/dev/urandom c 1 9
[ -z "${LONG:-}" ] || expect_exit 0 'apt knows what there is' within apt-get -qq update
files >before
expect_exit 0 'apt installs it with what it needs' within apt-get -qq -y install "/tmp/$package"
matches "$(within getent passwd csvp)" ':/var/lib/csvp:' 'its services have a user'
expect_exit 0 'csvp-run works there' within sh -c '
	csvp-run -q -d navaids -k id /tmp/navaids.csv && csvp-search -d navaids "williams harbour" --format csv && csvp-admin down -q'
matches "$(cat out)" 'Williams Harbour' 'and what it loaded is found'
matches "$(within sh -c 'MANPAGER=cat man csvp-load')" 'Load|load chunks' 'man csvp-load shows'
matches "$(within sh -c 'MANPAGER=cat man csvp')" 'CSV files into PostgreSQL tables' 'man csvp shows'
expect_exit 0 'removed' within apt-get -qq -y remove csvp
is "$(within sh -c 'ls /usr/bin | grep ^csvp; ls /var/lib/csvp')" $'postgres\nstore' 'removed: the data stay'
rm -rf clean/var/lib/csvp
expect_exit 0 'purged' within apt-get -qq -y purge csvp
files >after
is "$(comm -13 before after)" '' 'purged: nothing is left'
