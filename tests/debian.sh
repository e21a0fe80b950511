# shellcheck shell=bash
# A Debian to try a package or an image in. After lib.sh, and only as root:
#
#	debian NAME PACKAGES   BASE is a tarball of a minimal Debian with PACKAGES (a list with commas), kept in the cache of
#	                       scripts/services under NAME and what is in it. Where it cannot be had, the test is skipped
#	boot ROOT              its systemd runs as the first process of namespaces of its own, without a network; false, with the
#	                       reason in WORK/boot.log, where that is not possible
#	booted COMMAND...      a command in there
#	poweroff               systemd stops everything and ends
BOOTED=''

debian()
{
	local name=$1 packages=$2
	BASE=$CSVP_CACHE_DIR/debian/bookworm-$name-$(printf '%s' "$packages" | sha256sum | cut -c 1-8).tar
	[ ! -e "$BASE" ] || return 0
	mkdir -p "${BASE%/*}"
	if ! mmdebstrap --quiet --variant=minbase --include="$packages" bookworm "$BASE.$$.tar" >debootstrap.log 2>&1; then
		rm -f "$BASE.$$.tar"
		skip "$(basename "$0" .sh)" "mmdebstrap: $(tail -n 1 debootstrap.log)"
		exit 0
	fi
	mv "$BASE.$$.tar" "$BASE"
}

# What boot runs in the new namespaces: the file systems that systemd expects, then systemd.
first_process()
{
	set -e
	mount --bind "$1" "$1"
	cd "$1"
	mount -t proc proc proc
	mount -t sysfs -o ro sysfs sys
	mount -t cgroup2 cgroup2 sys/fs/cgroup
	mount -t tmpfs tmpfs run
	mount -t tmpfs tmpfs tmp
	mount -t tmpfs -o mode=755 tmpfs dev
	mkdir dev/pts dev/shm run/old
	mount -t tmpfs tmpfs dev/shm
	mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	for device in null zero full random urandom tty; do
		touch "dev/$device"
		mount --bind "/dev/$device" "dev/$device"
	done
	pivot_root . run/old
	exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		sh -c 'umount -l /run/old && exec /lib/systemd/systemd --unit=multi-user.target --show-status=no'
}

boot()
{
	local above
	above=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
	[ -n "$above" ] || { echo 'no cgroup2 is mounted' >boot.log && return 1; }
	CGROUP=$above/csvp-test.$$
	mkdir -p "$CGROUP"
	# shellcheck disable=SC2016
	at_exit '[ -z "$BOOTED" ] || kill -KILL "$BOOTED"; wait; find "$CGROUP" -depth -type d -exec rmdir {} \; 2>/dev/null'
	# shellcheck disable=SC2016
	bash -c 'echo $$ >"$1/cgroup.procs" && exec unshare --cgroup --mount --pid --ipc --uts --net --fork --kill-child \
		bash -c "$2; first_process \"\$1\"" - "$3"' - "$CGROUP" "$(declare -f first_process)" "$1" >boot.log 2>&1 &
	BOOTED=$!
	WAIT_SECONDS=180 wait_until up_or_ended && kill -0 "$BOOTED" 2>/dev/null
}

up_or_ended()
{
	! kill -0 "$BOOTED" 2>/dev/null || booted systemctl is-system-running 2>/dev/null | grep -qE '^(running|degraded)$'
}

# The number of that first process, seen from here.
first()
{
	local pid
	# The line has no end.
	read -r pid _ <"/proc/$BOOTED/task/$BOOTED/children" || :
	echo "$pid"
}

booted()
{
	nsenter -t "$(first)" -a -r -w env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

poweroff()
{
	booted systemctl poweroff 2>poweroff.log
	wait "$BOOTED" || :
	BOOTED=
}
