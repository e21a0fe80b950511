#!/bin/bash
# compose/Dockerfile builds, without a container engine: buildah, its steps in a chroot, on a Debian made by mmdebstrap. The
# image then loads a file, finds it, and serves the API, against a PostgreSQL beside it. The Debian is kept in the cache of
# scripts/services and holds what the image will need already, so that apt has little to do; with LONG=1 it does not.
# shellcheck source=tests/lib.sh disable=SC2016
. "${0%/*}/../lib.sh"
# shellcheck source=tests/debian.sh
. "$TESTS/debian.sh"
setup
root=$(cd "$TESTS/.." && pwd)
for tool in buildah mmdebstrap curl; do
	command -v "$tool" >/dev/null || { skip 'image' "no $tool here; hint: scripts/packages package test" && exit 0; }
done
[ "$(id -u)" -eq 0 ] || { skip 'image' 'only root builds one without a container engine' && exit 0; }
if [ -n "${SAN:-}" ]; then
	skip 'image' 'not measured under sanitizers'
	exit 0
fi

name=$(sed -n 's/^FROM \(.*\) AS app$/\1/p' "$root/compose/Dockerfile")
# What its build and the image itself install, but for its stage of tests.
packages=$(sed '/ AS tests$/,/^CMD/d' "$root/compose/Dockerfile" | sed -n '/apt-get -qq update/,/>\/dev\/null/p' |
	sed '/^RUN/d; s/>.*//; s/\\//' | xargs | tr ' ' ',')
[ -z "${LONG:-}" ] || packages=ca-certificates
debian image "$packages"

bh()
{
	buildah --storage-driver=vfs --root "$WORK/images" --runroot "$WORK/containers" "$@"
}
# Mounts of a container that was cut off would keep its folder from being removed.
at_exit 'bh umount --all >/dev/null 2>&1; bh rm --all >/dev/null 2>&1'
scratch=$(bh from scratch)
bh add -q "$scratch" "$BASE" / >/dev/null
bh commit -q "$scratch" "docker.io/library/$name" >/dev/null
bh rm "$scratch" >/dev/null
mkdir context
tar -C "$root" --exclude-vcs --exclude=./build -cf - . | tar -C context -xf -
# What npm would fetch, if the build of this source has fetched it; else the image's own build does.
mkdir context/.cache
cp "$CSVP_CACHE_DIR"/swagger-ui-dist-*.tgz context/.cache/ 2>/dev/null || echo '# npm is installed in the build'
expect_exit 0 'the Dockerfile builds' bh bud --isolation chroot --pull-never --layers=false -t csvp:local \
	-f "$root/compose/Dockerfile" context
box=$(bh from --pull-never csvp:local)
is "$(bh inspect --format '{{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.User}}' csvp:local)" '[csvp] 10001:10001' \
	'csvp is its entry point, and its user is not root'
top=$(bh mount "$box")
if [ -n "${LONG:-}" ]; then
	is "$(find "$top/usr/bin" -name gcc -o -name make)" '' 'no compiler is in it'
	echo "# the image has $(du -sm "$top" | cut -f 1) MB"
fi

# A PostgreSQL that containers reach: by TCP.
initdb=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | tail -n 1)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir cluster
chown postgres: cluster
as_postgres()
{
	setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
}
as_postgres "$initdb" -D "$WORK/cluster" -A trust -U csvp >initdb.log
at_exit 'as_postgres "${initdb%/*}/pg_ctl" -D "$WORK/cluster" -m immediate stop >/dev/null 2>&1'
as_postgres "${initdb%/*}/pg_ctl" -D "$WORK/cluster" -w -l "$WORK/cluster/log" \
	-o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories='$WORK/cluster'" start >/dev/null

inside()
{
	bh run --isolation chroot "$box" -- "$@"
}

# confined COMMAND...: the image as compose.yaml and the manifests run it: it can write nothing but /tmp (and here a store), and
# has no capability, nor gains one.
mkdir store
chown 10001:10001 store
confined()
{
	unshare --mount bash -c 'set -e
		top=$1 data=$2 store=$3
		shift 3
		mount --bind "$top" "$top"
		mount -t tmpfs tmpfs "$top/tmp"
		mount -t proc proc "$top/proc"
		mount --rbind /dev "$top/dev"
		mount --bind "$data" "$top/mnt"
		mount --bind "$store" "$top/srv"
		mount -o remount,bind,ro "$top"
		exec chroot "$top" setpriv --reuid=10001 --regid=10001 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
		' - "$top" "$DATA" "$WORK/store" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ CSVP_AUTOSTART=no CSVP_HOME=/var/lib/csvp \
		CSVP_DATABASE_URL="postgresql://csvp@127.0.0.1:$port/postgres" CSVP_STORE_URL=file:///srv "$@"
}
expect_exit 0 'csvp help' inside csvp help
matches "$(cat out)" '^  load ' 'csvp help: lists the verbs'
expect_exit 1 'confined it cannot write into itself' confined touch /var/lib/csvp/x
matches "$(cat err)" 'Read-only file system' 'as it should be'
expect_exit 0 'migrate' confined csvp admin migrate -q
expect_exit 0 'the pipeline runs confined' confined sh -c \
	'csvp upload -q -d navaids -k id /mnt/navaids.csv | csvp split | csvp load -j1 | csvp index && csvp admin verify -q'
expect_exit 0 'and what it loaded is found' confined csvp search -d navaids 'williams harbour' --format csv
matches "$(cat out)" 'Williams Harbour' 'by its words'

# The API, and the question by which compose knows that it is ready.
api=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
question=$(sed -n "/^  app:/,/interval/s/^ *test: .CMD, bash, -c, '\(.*\)'.*/\1/p" "$root/compose/compose.yaml" | sed "s/8000/$api/; s/\\$\\$/$/g")
expect_exit 0 'the API runs confined' confined env CSVP_API_HOST=127.0.0.1 CSVP_API_PORT="$api" CSVP_API_ANONYMOUS=read SERVE_WORKERS=no \
	bash -c 'csvp serve & server=$!
	for i in $(seq 300); do (eval "$1") 2>/dev/null && break; sleep 0.1; done
	(eval "$1") || exit 1
	exec 3<>"/dev/tcp/127.0.0.1/$2"
	printf "GET /api/datasets/navaids/search?q=williams+harbour HTTP/1.0\r\n\r\n" >&3
	cat <&3
	kill $server; wait $server; exit 0' - "$question" "$api"
matches "$(cat out)" 'Williams Harbour' 'the API: finds the same'
