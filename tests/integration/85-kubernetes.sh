#!/bin/bash
# compose/k8s: both overlays render, are valid by the schemas of Kubernetes, and say what compose and the programs say.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
setup
root=$(cd "$TESTS/.." && pwd)
needs_python kubernetes-validate==1.33.1 PyYAML==6.0.2
# Where there is no kubectl, the tool that it holds.
render()
{
	if command -v kubectl >/dev/null && kubectl kustomize --help >/dev/null 2>&1; then
		kubectl kustomize "$1"
	else
		"$CSVP_CACHE_DIR/go/bin/kustomize" build "$1"
	fi
}
if ! command -v kubectl >/dev/null && [ ! -x "$CSVP_CACHE_DIR/go/bin/kustomize" ]; then
	command -v go >/dev/null || { skip 'kubernetes' 'neither kubectl nor go here' && exit 0; }
	GOPATH=$CSVP_CACHE_DIR/go GOFLAGS=-buildvcs=false go install sigs.k8s.io/kustomize/kustomize/v5@v5.4.3 >go.log 2>&1 ||
		{ skip 'kubernetes' "go install kustomize: $(tail -n 1 go.log)" && exit 0; }
fi
cp -r "$root/compose/k8s" .
cp k8s/overlays/external/secret.env.example k8s/overlays/external/secret.env
for overlay in local external; do
	expect_exit 0 "$overlay: renders" render "k8s/overlays/$overlay"
	cp out "$overlay.yaml"
done
csvp-admin config | awk '{ print $1 }' >names
csvp-admin --help | sed -n '/^subcommands:$/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p' >subcommands
grep -rhoE '"/api/health/[a-z]+"' "$root/cmd/csvp-api" | tr -d '"' | sort -u >routes
"$PYTHON" "$TESTS/integration/85-kubernetes.py" "$root" names subcommands routes local.yaml external.yaml || FAILED=yes

check 'one elasticmq.conf, which kustomize wants beside itself' cmp "$root/compose/elasticmq.conf" k8s/overlays/local/elasticmq.conf

# What is wrong is found.
sed 's,/api/health/live,/alive,; s/terminationGracePeriodSeconds: 60/terminationGracePeriodSecond: 60/' local.yaml >wrong.yaml
"$PYTHON" "$TESTS/integration/85-kubernetes.py" "$root" names subcommands routes wrong.yaml >said 2>&1 || true
matches "$(cat said)" 'terminationGracePeriodSecond' 'a field that is none is found'
cp local.yaml wrong.yaml
sed -i 's,/api/health/live,/alive,; s/^  AWS_REGION:/  AWS_REGIN:/' wrong.yaml
"$PYTHON" "$TESTS/integration/85-kubernetes.py" "$root" names subcommands routes wrong.yaml >said || true
matches "$(cat said)" 'not ok - .*/alive is a route' 'a probe of what is no route'
matches "$(cat said)" 'AWS_REGIN' 'a setting that no program reads'
