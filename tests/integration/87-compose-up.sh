#!/bin/bash
# compose.yaml at work, without a container engine: each service in file systems of its own, as the file says (user, environment,
# command, volumes, what it waits for and how it is asked), under the names and ports that are in it, on a network of their own.
# In the place of other makers' images are the servers of scripts/services, started as those images do.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
under_san 'compose up' && exit 0
[ "$(id -u)" -eq 0 ] || { skip 'compose up' 'only root makes networks and file systems' && exit 0; }
needs_python jsonschema==4.23.0 PyYAML==6.0.2
for server in elasticmq-1.7.1 elasticsearch-8.14.1 minio-20260212 redis-debian; do
	[ -e "$CSVP_CACHE_DIR/$server" ] || { skip 'compose up' "no $server; hint: scripts/services install" && exit 0; }
done
unshare --net --mount true 2>err || { skip 'compose up' "$(tail -n 1 err)" && exit 0; }
root=$(cd "$TESTS/.." && pwd)
unshare --net --mount --pid --fork --kill-child --mount-proc "$PYTHON" "$TESTS/integration/87-compose-up.py" "$root" || FAILED=yes
