"""The files of the editor: what they name is there, what they run runs, and what fails is found by its line.

python3 86-editor.py config     .devcontainer and .vscode are as they should be
python3 86-editor.py commands FILE     print each task while FILE is open: its label, a tab, its command; and what makes the container
python3 86-editor.py found < OUTPUT     print what the tasks' matcher finds there: FILE:LINE SEVERITY MESSAGE
python3 86-editor.py targets FILE...     print the programs that launches start while FILE is open
python3 86-editor.py database SOURCE     print how compile_commands.json says that it is compiled, for a shell

The current folder is the source. The schema of devcontainer.json is in none of the registries of packages: FIELDS are those of
the specification at https://containers.dev/ that are used here, and no others may be.
"""
import json
import os
import re
import shlex
import sys

import jsonschema
import yaml

STRINGS = {'type': 'array', 'items': {'type': 'string'}, 'minItems': 1}
FIELDS = {
    'type': 'object',
    'additionalProperties': False,
    'required': ['dockerComposeFile', 'service', 'workspaceFolder'],
    'properties': {
        'name': {'type': 'string'},
        'dockerComposeFile': STRINGS,
        'service': {'type': 'string'},
        'runServices': STRINGS,
        'overrideCommand': {'type': 'boolean'},
        'workspaceFolder': {'type': 'string', 'pattern': '^/'},
        'postCreateCommand': {'type': 'string'},
        'forwardPorts': {'type': 'array', 'items': {'type': 'integer', 'minimum': 0, 'maximum': 65535}},
        'customizations': {
            'type': 'object',
            'additionalProperties': False,
            'properties': {'vscode': {'type': 'object', 'additionalProperties': False, 'properties': {'extensions': STRINGS}}},
        },
    },
}


def case(good, name, *why):
    print(f'{"ok" if good else "not ok"} - {name}')
    if not good:
        print(''.join(f'#   {line}\n' for line in why), end='')
    return bool(good)


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def tasks():
    return {task['label']: task for task in json.loads(read('.vscode/tasks.json'))['tasks']}


def launches():
    return json.loads(read('.vscode/launch.json'))


def container():
    """devcontainer.json, compose, and what is built of the two."""
    config = json.loads(read('.devcontainer/devcontainer.json'))
    errors = [f'{list(e.absolute_path)}: {e.message}' for e in jsonschema.Draft7Validator(FIELDS).iter_errors(config)]
    if not case(not errors, 'devcontainer.json: its fields are those of the specification', *errors):
        return False
    files = [os.path.join('.devcontainer', file) for file in config['dockerComposeFile']]
    missing = [file for file in files if not os.path.exists(file)]
    if not case(not missing, 'devcontainer.json: the files of compose are there', str(missing)):
        return False
    compose, *more = [yaml.safe_load(read(file)) for file in files]
    service = config['service']
    named = {service, *config['runServices'], *(name for file in more for name in file['services'])}
    there = named <= set(compose['services'])
    if not case(there, 'devcontainer.json: names services of compose', str(named - set(compose['services']))):
        return False
    target = compose['services'][service]['build']['target']
    stage = re.search(rf'^FROM \S+ AS {target}\n(.*?)(?:^FROM|\Z)', read('compose/Dockerfile'), re.M | re.S)
    good = case(stage and all(re.search(rf'\b{tool}\b', stage.group(1)) for tool in ('packages all', 'clangd', 'gdb')),
                f'Dockerfile: {target} has the tools', str(stage and stage.group(1)))
    volumes = [v for file in more for v in file['services'][service].get('volumes', [])]
    good &= case(volumes == [f'..:{config["workspaceFolder"]}'], 'devcontainer.json: works where the source is mounted', str(volumes))
    ours = config['customizations']['vscode']['extensions']
    advised = json.loads(read('.vscode/extensions.json'))['recommendations']
    odd = [name for name in advised if not re.fullmatch(r'[a-z0-9-]+\.[a-z0-9-]+', name)]
    return good & case(set(ours) <= set(advised) and not odd, 'extensions.json: names those of the container', str(ours), str(odd))


def config():
    good = container()
    known, launch = tasks(), launches()
    wrong = [label for label, task in known.items() if task['type'] != 'shell' or not task['problemMatcher'].get('owner')]
    good &= case(not wrong, 'tasks.json: each task is a line of a shell, and has a matcher', str(wrong))
    matchers = {json.dumps(task['problemMatcher']) for task in known.values()}
    good &= case(len(matchers) == 1, 'tasks.json: all have the same matcher')
    for kind in ('build', 'test'):
        first = [label for label, task in known.items() if task['group'] == {'kind': kind, 'isDefault': True}]
        good &= case(len(first) == 1, f'tasks.json: one task is the first to {kind}', str(first))
    for one in launch['configurations']:
        good &= case((one['type'], one['MIMode']) == ('cppdbg', 'gdb'), f'launch.json: {one["name"]}: by gdb')
        good &= case(one['request'] == 'attach' or one['preLaunchTask'] in known, f'launch.json: {one["name"]}: is built first')
    used = set(re.findall(r'\$\{input:(\w+)\}', json.dumps(launch['configurations'])))
    inputs = {one['id']: one for one in launch['inputs']}
    good &= case(used == set(inputs), 'launch.json: asks what it uses', f'{used} {set(inputs)}')
    programs = sorted(name for name in os.listdir('cmd') if name.startswith('csvp-'))
    good &= case(inputs['program']['options'] == programs, 'launch.json: offers every program', str(programs))
    sys.exit(not good)


def opened(text, file):
    """The text as it is while the file is open; the current folder is that of the workspace."""
    folder, name = os.path.split(file)
    known = {
        'workspaceFolder': '.',
        'relativeFileDirname': folder,
        'fileDirnameBasename': os.path.basename(folder),
        'fileBasenameNoExtension': os.path.splitext(name)[0],
    }
    return re.sub(r'\$\{(\w+)\}', lambda m: known[m.group(1)], text)


def commands(file):
    for label, task in tasks().items():
        print(f'{label}\t{opened(task["command"], file)}')
    print(f'container\t{json.loads(read(".devcontainer/devcontainer.json"))["postCreateCommand"]}')


def found():
    matcher = next(iter(tasks().values()))['problemMatcher']
    shape = matcher['pattern']
    assert matcher['fileLocation'] == ['relative', '${workspaceFolder}']
    for line in sys.stdin:
        match = re.search(shape['regexp'], line.rstrip('\n'))
        if match:
            file, number, severity, message = (match.group(shape[part]) for part in ('file', 'line', 'severity', 'message'))
            there = os.path.exists(file) and 1 <= int(number) <= len(read(file).splitlines())
            print(f'{file}:{number} {severity or "error"} {message}' if there else f'there is no {file}:{number}')


def targets(*files):
    """A launch whose program is of the open file is meant for files of a kind: tests, or the programs' own."""
    for one in launches()['configurations']:
        program = one['program']
        if '${input' in program:
            continue
        fits = 'tests/' if 'relativeFileDirname' in program else 'cmd/' if 'fileDirname' in program else ''
        for file in files:
            if file.startswith(fits):
                print(opened(program, file))


def database(source):
    entries = {entry['file']: entry for entry in json.loads(read('compile_commands.json'))}
    assert os.path.samefile(entries[source]['directory'], '.')
    print(shlex.join(entries[source]['arguments']))


globals()[sys.argv[1]](*sys.argv[2:])
