#!/bin/bash
# compose/: the files are what the Compose specification allows, and name what the programs know.
# The schema is that of compose-go, from the Go proxy; the libraries are PyPI's, in a folder of their own in the cache.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
root=$(cd "$TESTS/.." && pwd)
needs_python jsonschema==4.23.0 PyYAML==6.0.2
command -v go >/dev/null || { skip 'compose' 'no go here, which fetches the schema' && exit 0; }
module=github.com/compose-spec/compose-go/v2@v2.4.1
folder=$(cd / && GOFLAGS=-mod=mod GOPATH=$CSVP_CACHE_DIR/go go mod download -json "$module" 2>err |
	sed -n 's/^	"Dir": "\(.*\)",$/\1/p')
[ -d "$folder" ] || { skip 'compose' "go mod download: $(tail -n 1 err)" && exit 0; }
csvp-admin config | awk '{ print $1 }' >names
"$PYTHON" "$TESTS/integration/84-compose.py" "$folder/schema/compose-spec.json" names "$root" || FAILED=yes

# What is wrong is found: an unknown key, a setting that is not offered.
mkdir -p wrong/cmd
cp -r "$root/compose" wrong/
for verb in "$root"/cmd/*; do
	mkdir "wrong/cmd/${verb##*/}"
done
sed -i 's/^    stop_grace_period: 30s/    stop_grace: 30s/' wrong/compose/compose.yaml
sed -i '/^#CSVP_VISIBILITY/d' wrong/compose/.env.example
"$PYTHON" "$TESTS/integration/84-compose.py" "$folder/schema/compose-spec.json" names wrong >said || true
is "$(grep -c '^not ok' said)" 3 'a wrong file is refused' 
matches "$(cat said)" 'stop_grace' 'naming what is wrong in it'
matches "$(cat said)" "missing: ..CSVP_VISIBILITY" 'and what is missing'
