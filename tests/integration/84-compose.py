"""compose.yaml, .env.example and the programs say the same.

python3 84-compose.py SCHEMA NAMES ROOT: SCHEMA is compose-spec.json, NAMES a file with the settings that the programs read,
one a line. Prints a case (ok, not ok) for each claim.
"""
import json
import os
import re
import sys

import jsonschema
import yaml


def case(good, name, *why):
    print(f'{"ok" if good else "not ok"} - {name}')
    if not good:
        print(''.join(f'#   {line}\n' for line in why), end='')
    return good


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as file:
        return file.read()


def typed(node):
    """The document as compose sees it once variables have their defaults: replicas are numbers."""
    if isinstance(node, dict):
        return {key: typed(value) for key, value in node.items()}
    if isinstance(node, list):
        return [typed(value) for value in node]
    if isinstance(node, str) and (number := re.fullmatch(r'\$\{[A-Z_]+:-(\d+)\}', node)):
        return int(number.group(1))
    return node


def main():
    schema, names, root = json.loads(read(sys.argv[1])), set(read(sys.argv[2]).split()), sys.argv[3]
    text, example = read(root, 'compose', 'compose.yaml'), read(root, 'compose', '.env.example')
    document = yaml.safe_load(text)
    errors = [f'{list(e.absolute_path)}: {e.message}' for e in jsonschema.Draft7Validator(schema).iter_errors(typed(document))]
    good = case(not errors, 'compose.yaml: as the Compose specification says', *errors)
    services = document['services']

    offered = set(re.findall(r'^#?([A-Z][A-Z0-9_]*)=', example, re.M))
    read_there = set(re.findall(r'\$\{([A-Z][A-Z0-9_]*)', text))
    good &= case(offered == read_there, '.env.example: holds what compose.yaml reads, and nothing else',
                 f'only there: {sorted(offered - read_there)}', f'missing: {sorted(read_there - offered)}')
    needed = {name for name in names if name.startswith('CSVP_')}
    good &= case(needed <= offered, '.env.example: every CSVP_ setting of the programs', str(sorted(needed - offered)))
    environment = services['app']['environment']
    unknown = {name for name in environment if name not in names and not name.startswith('SERVE_')}
    good &= case(not unknown and needed <= set(environment), 'app: each setting is one of the programs, and none is missing',
                 str(unknown), str(needed - set(environment)))

    for name, service in services.items():
        pinned = re.fullmatch(r'[a-z0-9./-]+:(?!latest)[A-Za-z0-9._-]*\d[A-Za-z0-9._-]*', service['image'])
        good &= case(bool(pinned) or 'build' in service, f'{name}: built here, or pinned', service['image'])
        for other, how in service.get('depends_on', {}).items():
            watched = 'healthcheck' in services[other] or how['condition'] == 'service_completed_successfully'
            good &= case(other in services and watched, f'{name}: waits for {other}, which tells that it is ready')
        for volume in service.get('volumes', []):
            source = volume.split(':')[0]
            there = source in document['volumes'] or os.path.exists(os.path.join(root, 'compose', source))
            good &= case(there, f'{name}: {source} is there')
        if service['image'].startswith('${APP_IMAGE') and 'entrypoint' not in service:
            verb = service['command'][0]
            there = verb == 'serve' or os.path.isdir(os.path.join(root, 'cmd', f'csvp-{verb}'))
            good &= case(there and service['user'] != '0', f'{name}: csvp {verb}, not as root')
    hosts = set(re.findall(r'(?:@|(?:http|redis)://)([a-z]+)[:/]', ' '.join(map(str, environment.values()))))
    good &= case(hosts <= set(services), 'app: the hosts of its settings are services', str(hosts - set(services)))
    stages = re.findall(r'^FROM \S+ AS (\w+)$', read(root, 'compose', 'Dockerfile'), re.M)
    targets = {s['build']['target'] for s in services.values() if 'build' in s}
    good &= case(targets <= set(stages), 'Dockerfile: has the stages that are built', str(targets), str(stages))
    base = set(re.findall(r'^FROM (\S+:\S+) AS', read(root, 'compose', 'Dockerfile'), re.M))
    good &= case(base == {'debian:12.11-slim'}, 'Dockerfile: one base, pinned', str(base))
    sys.exit(not good)


main()
