"""The manifests that kustomize has rendered: valid, and of one mind with compose, the image and the programs.

python3 85-kubernetes.py ROOT NAMES SUBCOMMANDS ROUTES FILE...: NAMES holds the settings that programs read, SUBCOMMANDS those of
csvp-admin, ROUTES the paths of the API, one a line. Prints a case (ok, not ok) for each claim.
"""
import os
import re
import sys

import kubernetes_validate
import yaml


def case(good, name, *why):
    print(f'{"ok" if good else "not ok"} - {name}')
    if not good:
        print(''.join(f'#   {line}\n' for line in why), end='')
    return bool(good)


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as file:
        return file.read()


def pod_of(document):
    spec = document['spec']
    spec = spec.get('jobTemplate', {}).get('spec', spec)
    return spec.get('template', {}).get('spec')


def amount(quantity):
    """A quantity of Kubernetes as a number: 250m, 64Mi, 2."""
    value, unit = re.fullmatch(r'(\d+)(m|Ki|Mi|Gi|)', str(quantity)).groups()
    return int(value) * {'m': 0.001, '': 1, 'Ki': 1 << 10, 'Mi': 1 << 20, 'Gi': 1 << 30}[unit]


def fits(resources):
    """Nothing asks for more than it may have; a server would refuse that."""
    return all(amount(resources['requests'][what]) <= amount(limit) for what, limit in resources['limits'].items()
               if what in resources['requests'])


def faults(document):
    try:
        kubernetes_validate.validate(document, '1.33', strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error)
    return ''


def check(name, documents, names, subcommands, routes, compose):
    by_kind = {}
    for d in documents:
        by_kind.setdefault(d['kind'], {})[d['metadata']['name']] = d
    wrong = [f'{d["kind"]}/{d["metadata"]["name"]}: {fault}' for d in documents if (fault := faults(d))]
    good = case(not wrong and len(documents) > 10, f'{name}: valid, strictly', *wrong)
    wrong = [d['metadata']['name'] for d in documents if d['kind'] != 'Namespace' and d['metadata'].get('namespace') != 'csvp']
    good &= case(not wrong, f'{name}: all of it in one namespace', str(wrong))
    images = {s['image'] for s in compose['services'].values()}
    keys = {}
    for kind in ('ConfigMap', 'Secret'):
        for d in by_kind[kind].values():
            keys[(kind, d['metadata']['name'])] = set(d['data'])
    settings = set()
    for kind in ('Deployment', 'StatefulSet', 'Job', 'CronJob'):
        for title, d in by_kind.get(kind, {}).items():
            pod, what = pod_of(d), f'{name}: {kind} {title}'
            box = pod['containers'][0]
            given = {e['name'] for e in box.get('env', [])}
            ports = {p['name'] for p in box.get('ports', [])}
            for source in box.get('envFrom', []):
                ref, of = (source['configMapRef'], 'ConfigMap') if 'configMapRef' in source else (source['secretRef'], 'Secret')
                good &= case((of, ref['name']) in keys, f'{what}: {of} {ref["name"]} is there')
                given |= keys.get((of, ref['name']), set())
            for e in box.get('env', []):
                ref = e.get('valueFrom', {}).get('secretKeyRef')
                if ref:
                    good &= case(ref['key'] in keys.get(('Secret', ref['name']), ()), f'{what}: secret {ref["key"]} is there')
            limits = 'limits' in box['resources'] and 'requests' in box['resources'] and fits(box['resources'])
            good &= case(limits, f'{what}: asks for what it needs, and is limited')
            for probe in ('startupProbe', 'livenessProbe', 'readinessProbe'):
                how = box.get(probe, {})
                get = how.get('httpGet') or how.get('tcpSocket')
                if get:
                    good &= case(get['port'] in ports, f'{what}: {probe} asks a port that is there')
                    if title == 'app':
                        good &= case(get['path'] in routes, f'{what}: {get["path"]} is a route of the API')
            if 'envFrom' not in box:
                good &= case(box['image'] in images, f'{what}: the image of compose', box['image'])
                continue
            settings |= given
            odd = {n for n in given if n not in names and not n.startswith('SERVE_')}
            good &= case(not odd, f'{what}: every setting is one of the programs', str(odd))
            good &= case(pod['securityContext']['runAsNonRoot'] and box['securityContext']['readOnlyRootFilesystem'],
                         f'{what}: neither root nor able to write into its image')
            user = str(pod['securityContext']['runAsUser'])
            good &= case(f'USER {user}:' in read(sys.argv[1], 'compose', 'Dockerfile'), f'{what}: the user of the image')
            verb = box['args'][0]
            there = verb == 'serve' or os.path.isdir(os.path.join(sys.argv[1], 'cmd', f'csvp-{verb}'))
            there = there and (verb != 'admin' or box['args'][1] in subcommands)
            good &= case(there, f'{what}: runs csvp {" ".join(box["args"])}')
            good &= case(kind != 'Deployment' or pod['terminationGracePeriodSeconds'] >= 60, f'{what}: has time to hand back')
    wanted = {n for n in names if re.fullmatch(r'CSVP_\w+_URL', n)} | {'CSVP_API_HOST', 'CSVP_API_PORT'}
    good &= case(wanted <= settings, f'{name}: says where everything is', str(wanted - settings))
    secret = {n for ns in (k for (kind, _), k in keys.items() if kind == 'ConfigMap') for n in ns
              if re.search(r'DATABASE_URL|SECRET|PASSWORD|ACCESS_KEY', n)}
    good &= case(not secret, f'{name}: no secret in a ConfigMap', str(secret))
    labels = [pod_labels(d) for kind in ('Deployment', 'StatefulSet') for d in by_kind.get(kind, {}).values()]
    for title, service in by_kind['Service'].items():
        good &= case(any(service['spec']['selector'].items() <= l.items() for l in labels), f'{name}: Service {title} selects pods')
    for title, hpa in by_kind['HorizontalPodAutoscaler'].items():
        good &= case(hpa['spec']['scaleTargetRef']['name'] in by_kind['Deployment'], f'{name}: {title} scales what is there')
    nightly = set(by_kind.get('CronJob', ()))
    good &= case(nightly == {'gc', 'verify'}, f'{name}: gc and verify every night', str(nightly))
    port = by_kind['Service']['app']['spec']['ports'][0]['port']
    published = compose['services']['app']['ports'][0].split(':')[-1]
    good &= case(str(port) == published, f'{name}: the port of compose')
    return good


def pod_labels(document):
    return document['spec']['template']['metadata']['labels']


def main():
    root, names, subcommands, routes = sys.argv[1], *(set(read(f).split()) for f in sys.argv[2:5])
    compose = yaml.safe_load(read(root, 'compose', 'compose.yaml'))
    good = True
    for file in sys.argv[5:]:
        documents = [d for d in yaml.safe_load_all(read(file)) if d]
        good &= check(os.path.splitext(os.path.basename(file))[0], documents, names, subcommands, routes, compose)
    sys.exit(not good)


main()
