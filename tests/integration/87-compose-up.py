"""What `docker compose up` does with compose.yaml and .env.example, with processes instead of containers.

python3 87-compose-up.py ROOT, as root in network, mount and process namespaces of its own. From the environment: WORK (an empty
folder), B (the build folder), DATA, CSVP_CACHE_DIR. Prints a case (ok, not ok) for each claim.
"""
import fcntl
import glob
import json
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request

import yaml

ROOT, WORK, B, DATA, CACHE = sys.argv[1], *(os.environ[n] for n in ('WORK', 'B', 'DATA', 'CSVP_CACHE_DIR'))
PATIENCE = 180
JAVA = os.path.realpath(shutil.which('java'))

# What stands in for an image: its files (below /opt), whose the folders of its volumes are, its user, and its entry point, which
# gets the command of compose.yaml as "$@".
IMAGES = {
    'csvp': {
        'files': {'csvp': f'{B}/bin', 'lib/csvp': f'{ROOT}/scripts'},
        'entry': 'PATH=/opt/csvp:$PATH; [ "$1" != serve ] || { shift; B= exec /opt/lib/csvp/serve "$@"; }; exec csvp "$@"',
    },
    'postgres': {
        'owner': 'postgres',
        'entry': '''cd /var/lib/postgresql/data
            bin=$(echo /usr/lib/postgresql/*/bin)
            [ -s PG_VERSION ] || {
                $bin/initdb -D . -U "$POSTGRES_USER" --pwfile=<(echo "$POSTGRES_PASSWORD") -A scram-sha-256 || exit
                echo "host all all all scram-sha-256" >>pg_hba.conf
                echo "CREATE DATABASE \\"$POSTGRES_DB\\"" | $bin/postgres --single -D . postgres || exit
            }
            exec $bin/postgres -D . -c "listen_addresses=*" -k /var/run/postgresql''',
    },
    'elasticsearch': {
        'user': '1000:0', 'owner': '1000:0', 'files': {'dist': f'{CACHE}/elasticsearch-8.14.1/dist'},
        'entry': f'''mkdir -p /tmp/conf && cd /opt/dist || exit
            {{ echo "network.host: 0.0.0.0"; echo "path.data: /usr/share/elasticsearch/data"; echo "path.logs: /tmp"
               echo "cluster.routing.allocation.disk.threshold_enabled: false"
               env | sed -n "s/^\\([a-z.]*[.][a-z.]*\\)=/\\1: /p"; }} >/tmp/conf/elasticsearch.yml
            echo "-Djava.io.tmpdir=/tmp" >/tmp/conf/jvm.options
            cat >/tmp/conf/log4j2.properties <<-END
                status = error
                appender.console.type = Console
                appender.console.name = console
                appender.console.layout.type = PatternLayout
                appender.console.layout.pattern = %d %p %c{{1.}} %m%n
                rootLogger.level = warn
                rootLogger.appenderRef.console.ref = console
\t\tEND
            export ES_JAVA_HOME={os.path.dirname(os.path.dirname(JAVA))} ES_TMPDIR=/tmp
            exec java -Xms4m -Xmx64m -Dcli.name=server -Dcli.script=bin/elasticsearch -Dcli.libs=lib/tools/server-cli \\
                -Des.path.home=/opt/dist -Des.path.conf=/tmp/conf -Des.distribution.type=tar \\
                -cp "/opt/dist/lib/*:/opt/dist/lib/cli-launcher/*" org.elasticsearch.launcher.CliToolLauncher''',
    },
    'redis': {'files': {'redis': f'{CACHE}/redis-debian'}, 'entry': 'PATH=/opt/redis:$PATH; exec "$@"'},
    'elasticmq': {
        'files': {'elasticmq': f'{CACHE}/elasticmq-1.7.1'},
        'entry': 'exec java -Dconfig.file=/opt/elasticmq.conf -cp "/opt/elasticmq/lib/*" org.elasticmq.server.Main "$@"',
    },
    'minio': {'files': {'minio': f'{CACHE}/minio-20260212'}, 'entry': 'exec /opt/minio/minio "$@"'},
}

# The file systems of a container on those of this machine: what is written is gone with it, but for its volumes.
CONTAINER = '''set -e
root=$1; shift
mount -t tmpfs tmpfs "$root"
mkdir "$root/upper" "$root/work" "$root/all"
mount -t overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" overlay "$root/all"
root=$root/all
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind /etc/hosts "$root/etc/hosts"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p -m 1777 "$root/var/run/postgresql"
chmod 1777 "$root/var/run/postgresql"
while [ "$1" != -- ]; do
    [ -d "$1" ] && mkdir -p "$root$2" || { mkdir -p "$root${2%/*}" && touch "$root$2"; }
    mount --bind "$1" "$root$2"
    shift 2
done
shift
[ -z "$READ_ONLY" ] || mount -o remount,bind,ro "$root"
exec chroot "$root" "$@"'''


def case(good, name, *why):
    print(f'{"ok" if good else "not ok"} - {name}', flush=True)
    if not good:
        case.failed = True
        print(''.join(f'#   {line}\n' for text in why for line in str(text).splitlines()[-20:]), end='', flush=True)
    return bool(good)


case.failed = False


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.1)
    return value


def settings(path):
    """The lines NAME=value of an environment file."""
    with open(path, encoding='utf-8') as file:
        return dict(line.rstrip('\n').split('=', 1) for line in file if re.match('[A-Z]', line))


def resolved(text, variables):
    """Text with each ${NAME:-default} as compose reads it, the innermost first."""
    while found := re.search(r'\$\{([A-Z0-9_]+):-([^${}]*)\}', text):
        text = text[:found.start()] + (variables.get(found[1]) or found[2]) + text[found.end():]
    return text.replace('$$', '$')


def resolve(node, variables):
    if isinstance(node, dict):
        return {key: resolve(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [resolve(value, variables) for value in node]
    return resolved(node, variables) if isinstance(node, str) else node


def number(user):
    """USER[:GROUP] as numbers; names that are the image's own and not this machine's are of an ordinary user."""
    try:
        entry = pwd.getpwnam(user)
        return f'{entry.pw_uid}:{entry.pw_gid}'
    except KeyError:
        return user if re.fullmatch(r'\d+:\d+', user) else '999:999'


class Service:
    """One service of compose.yaml: its process, and how it is asked whether it is well."""

    def __init__(self, name, spec):
        self.name, self.spec, self.process = name, spec, None
        kind = re.sub(r':.*', '', spec['image']).rsplit('/', 1)[-1]
        self.image = IMAGES[kind]
        self.log = f'{WORK}/{name}.log'

    def volumes(self):
        """Pairs of a path here and a path in the container; a new named volume is as the image has its folder."""
        for volume in self.spec.get('volumes', []):
            source, target = volume.split(':')[:2]
            if source.startswith('.'):
                yield os.path.join(ROOT, 'compose', source), target
                continue
            path = f'{WORK}/volumes/{source}'
            if not os.path.isdir(path):
                os.makedirs(path)
                uid, gid = map(int, number(self.image.get('owner', '0:0')).split(':'))
                os.chown(path, uid, gid)
            yield path, target

    def environment(self):
        given = {name: str(value) for name, value in self.spec.get('environment', {}).items()}
        return {'PATH': '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', 'HOME': '/', 'LC_ALL': 'C.UTF-8', **given}

    def rights(self):
        """As the service's user, with its capabilities alone."""
        uid, gid = number(str(self.spec.get('user', self.image.get('user', '0:0')))).split(':')
        command = ['setpriv', f'--reuid={uid}', f'--regid={gid}', '--clear-groups']
        if 'cap_drop' in self.spec:
            kept = ''.join(f',+{name.lower()}' for name in self.spec.get('cap_add', []))
            command += [f'--bounding-set=-all{kept}', f'--inh-caps=-all{kept}']
        if self.spec.get('security_opt'):
            command += ['--no-new-privs']
        return command

    def start(self):
        root = f'{WORK}/{self.name}'
        os.makedirs(root, exist_ok=True)
        binds = [(path, f'/opt/{place}') for place, path in self.image.get('files', {}).items()] + list(self.volumes())
        entry = self.spec.get('entrypoint') or ['bash', '-c', self.image['entry'], self.name]
        command = ['unshare', '--mount', 'bash', '-c', CONTAINER, 'container', root, *sum(map(list, binds), []), '--',
                   *self.rights(), *entry, *self.spec.get('command', [])]
        environment = {**self.environment(), 'READ_ONLY': 'yes' if self.spec.get('read_only') else ''}
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd='/',
                                            start_new_session=True)

    def within(self, command):
        """Run in the container, as `docker exec` does."""
        return subprocess.run(['nsenter', '-t', str(self.process.pid), '-m', '-r', '-w', *self.rights(), *command],
                              env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)

    def healthy(self):
        check = self.spec['healthcheck']['test']
        return self.process.poll() is not None or self.within(check[1:]).returncode == 0

    def said(self):
        with open(self.log, encoding='utf-8', errors='replace') as file:
            return file.read()

    def begin(self, condition):
        """Start, and wait until it is what others wait for."""
        self.start()
        if condition == 'service_completed_successfully':
            status = self.process.wait(timeout=PATIENCE)
            return case(status == 0, f'{self.name}: is done', f'exit status {status}', self.said())
        if 'healthcheck' not in self.spec:
            return True
        good = wait_until(self.healthy) and self.process.poll() is None
        return case(good, f'{self.name}: is healthy by its own check', self.within(self.spec['healthcheck']['test'][1:]).stderr
                    if self.process.poll() is None else 'it has ended', self.said())

    def stop(self):
        """SIGTERM, as an engine does; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)

    def resident(self):
        """Bytes in memory of all its processes."""
        pages = 0
        for path in glob.glob('/proc/[0-9]*/stat'):
            try:
                with open(path, encoding='utf-8', errors='replace') as file:
                    fields = file.read().rsplit(')', 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == self.process.pid:
                pages += int(fields[21])
        return pages * os.sysconf('SC_PAGE_SIZE')


def network(names):
    """This namespace's loopback, with the names of the services."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack('16sH14x', b'lo', 0x1 | 0x40))  # SIOCSIFFLAGS: up, running
    with open(f'{WORK}/hosts', 'w', encoding='utf-8') as file:
        file.write('127.0.0.1 localhost\n' + ''.join(f'127.0.0.1 {name}\n' for name in [*names, socket.gethostname()]))
    subprocess.run(['mount', '--bind', f'{WORK}/hosts', '/etc/hosts'], check=True)


def ordered(services):
    """What others wait for first; with each the condition that they wait for."""
    waited = {}
    for service in services.values():
        for name, how in service.spec.get('depends_on', {}).items():
            waited[name] = how['condition']
    done = []
    while len(done) < len(services):
        ready = [n for n, s in services.items() if n not in done and set(s.spec.get('depends_on', {})) <= set(done)]
        if not ready:
            sys.exit('not ok - services wait for each other')
        done += ready
    return [(services[name], waited.get(name)) for name in done]


def call(path, token, data=None, kind='text/csv'):
    request = urllib.request.Request('http://127.0.0.1:8000' + path, data=data,
                                     headers={'Authorization': f'Bearer {token}', 'Content-Type': kind})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def upload(token, name, data):
    status, job = call(f'/api/datasets/{name}/uploads?key=id', token, data)
    return case(status == 202, f'{name}: is uploaded by the API', job) and job['id']


def finished(token, job):
    state = {}

    def ended():
        nonlocal state
        state = call(f'/api/jobs/{job}?wait=10', token)[1]
        return state['state'] in ('done', 'failed')
    wait_until(ended)
    return case(state['state'] == 'done' and state['indexed'] == state['records'], f'job {job}: is done by the workers', state)


def waiting(queue):
    """Messages that ElasticMQ says it has."""
    body = json.dumps({'QueueUrl': f'http://elasticmq:9324/000000000000/{queue}', 'AttributeNames': ['All']}).encode()
    request = urllib.request.Request('http://elasticmq:9324/', data=body, headers={
        'X-Amz-Target': 'AmazonSQS.GetQueueAttributes', 'Content-Type': 'application/x-amz-json-1.0'})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return int(json.loads(answer.read())['Attributes']['ApproximateNumberOfMessages'])


def in_its_place(services):
    """Each server holds what it is there for."""
    case(os.path.isdir(f'{WORK}/volumes/minio/csvp/uploads'), 'minio: has the uploads on its volume')
    with urllib.request.urlopen('http://elasticsearch:9200/_cat/indices/csvp*?h=index', timeout=PATIENCE) as answer:
        case(answer.read().strip(), 'elasticsearch: has an index')
    keys = services['redis'].within(['redis-cli', 'dbsize']).stdout
    case(int(re.sub(r'\D', '', keys)) > 0, 'redis: has the answer of a search', keys)


def stay_small(services):
    for name, service in services.items():
        limit = service.spec.get('deploy', {}).get('resources', {}).get('limits', {}).get('memory')
        if limit and service.process.poll() is None:
            unit = {'M': 1 << 20, 'G': 1 << 30}[limit[-1]]
            used = service.resident()
            case(used < int(limit[:-1]) * unit, f'{name}: fits into its {limit}', f'{used >> 20} MB')


def survive_a_restart(services, token):
    """A message waits on ElasticMQ's volume while workers are away, whose work is handed back."""
    workers = [services[n] for n in ('split', 'load', 'index-workers')]
    for worker in workers:
        status = worker.stop()
        case(status == 143, f'{worker.name}: leaves when it is told', f'exit status {status}', worker.said())
    with open(f'{DATA}/countries.csv', 'rb') as file:
        job = upload(token, 'countries', file.read())
    case(waiting('csvp-split') == 1, 'elasticmq: has the message')
    services['elasticmq'].stop()
    services['elasticmq'].begin('service_healthy')
    case(wait_until(lambda: waiting('csvp-split') == 1), 'elasticmq: has it after a restart')
    for worker in workers:
        worker.start()
    finished(token, job)


def main():
    with open(f'{ROOT}/compose/compose.yaml', encoding='utf-8') as file:
        document = resolve(yaml.safe_load(file), settings(f'{ROOT}/compose/.env.example'))
    services = {n: Service(n, s) for n, s in document['services'].items() if 'profiles' not in s}
    network(services)
    for service, condition in ordered(services):
        if not service.begin(condition):
            sys.exit(1)
    app = services['app']
    token = app.within(['bash', '-c', services['app'].image['entry'], 'app', 'admin', 'token', 'create', 'me', '--scope', 'write'])
    case(token.returncode == 0, 'app: makes a token', token.stderr)
    token = token.stdout.split()[-1]
    case(call('/api/jobs', 'none')[0] == 401, 'app: lets nobody in without one')
    with open(f'{DATA}/regions.csv', 'rb') as file:
        job = upload(token, 'regions', file.read())
    finished(token, job)
    found = [call('/api/datasets/regions/search?q=canilo', token)[1] for _ in range(2)]
    case(found[0]['results'][0]['code'] == 'AD-02' and found[0]['results'] == found[1]['results'],
         'a mistyped word is found, and once more by the cache', found)
    in_its_place(services)
    survive_a_restart(services, token)
    stay_small(services)
    status = app.stop()
    case(status == 0, 'app: leaves when it is told', f'exit status {status}', app.said())
    sys.exit(case.failed)


main()
