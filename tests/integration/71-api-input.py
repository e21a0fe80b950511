"""Wrong requests, made of each route of the OpenAPI document: python3 71-api-input.py URL MODE ADMIN_TOKEN READ_TOKEN.

A case a route and kind of wrongness: the status, and that the answer is a problem document that tells nothing of the inside.
"""
import http.client
import json
import re
import sys
import urllib.parse

url, mode, admin, read = sys.argv[1:]
host = urllib.parse.urlsplit(url).netloc
INSIDE = re.compile(r'SELECT|INSERT|csvp\.|pg_|postgres|/home|/tmp|/work|/usr|\.c:\d|0x[0-9a-f]{6}', re.I)
METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
failed = False


def ask(method, path, token=admin, body=None, headers=()):
    connection = http.client.HTTPConnection(host, timeout=60)
    given = dict(headers)
    if token is not None:
        given.setdefault('Authorization', f'Bearer {token}')
    if body is None and method in ('POST', 'PUT', 'PATCH'):
        body = b''
    # Not by putrequest's own checks: what is wrong in the path is to go out as it is.
    connection.putrequest(method, 'x', skip_accept_encoding=True)
    connection._buffer[0] = f'{method} {path} HTTP/1.1'.encode('latin-1', 'surrogateescape')
    if body is not None:
        given.setdefault('Content-Length', str(len(body)))
    for name, value in given.items():
        connection.putheader(name, value)
    try:
        connection.endheaders(body)
        answer = connection.getresponse()
    except (BrokenPipeError, ConnectionResetError):
        # It was answered before all of it was sent.
        answer = connection.response_class(connection.sock, method=method)
        answer.begin()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


def case(name, wanted, method, path, **how):
    """One of the wanted statuses, as a problem document."""
    global failed
    why = None
    try:
        status, headers, text = ask(method, path, **how)
        if status not in wanted:
            why = f'expected {wanted}, got {status}: {text[:300]}'
        elif status >= 500:
            why = f'{status}: {text[:300]}'
        elif status >= 400:
            problem = json.loads(text)
            if headers['Content-Type'] != 'application/problem+json' or problem['status'] != status or not problem['title']:
                why = f'not a problem document: {headers["Content-Type"]} {text[:300]}'
            elif INSIDE.search(problem['detail']):
                why = f'tells of the inside: {problem["detail"]}'
        if status == 401 and 'WWW-Authenticate' not in headers:
            why = '401 without WWW-Authenticate'
        if status == 405 and 'Allow' not in headers:
            why = '405 without Allow'
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        why = f'{type(error).__name__}: {error}'
    if why is None:
        print(f'ok - {mode}: {name}')
    else:
        failed = True
        print(f'not ok - {mode}: {name}\n#   {method} {path[:200]}\n#   {why}')


def filled(path, dataset='none', number='99', other='none'):
    """The path with something in its braces."""
    path = path.replace('{dataset}', dataset).replace('{id}', number)
    return re.sub(r'\{\w+\}', other, path)


def scope_of(operation):
    return re.search(r'Scope: (\w+)\.', operation['description']).group(1)


def check(path, method, operation, methods):
    name = f'{method} {path}'
    plain = filled(path)
    scope = scope_of(operation)
    body = operation.get('requestBody', {}).get('content', {})
    if scope != 'none':
        case(f'{name}: no token', [401], method, plain, token=None)
        case(f'{name}: a wrong token', [401], method, plain, token='csvp_1_' + 'A' * 43)
    if scope in ('write', 'admin'):
        case(f'{name}: not its scope', [403], method, plain, token=read)
    for wrong in METHODS:
        if wrong not in methods:
            case(f'{name}: {wrong}', [405], wrong, plain)
            break
    if '{' in path:
        for text, dataset in (('odd Unicode', urllib.parse.quote('\u202e\ufeff\U0001f600')),
                              ('quotes', urllib.parse.quote("';DROP TABLE regions;--\"\\")),
                              ('an encoded slash', '..%2F..%2Fetc%2Fpasswd'), ('a line end', 'a%0d%0aX-Evil:%201')):
            if scope != 'none':
                case(f'{name}: {text} in the path', [400, 404, 405, 415, 422], method, filled(path, dataset, dataset, dataset))
        for text, part in (('NUL', '%00'), ('no UTF-8', '%ff'), ('half a %XX', '%4'), ('an overlong slash', '%c0%af')):
            case(f'{name}: {text} in the path', [400], method, filled(path, part, part, part))
    case(f'{name}: a path of 10 KB', [404, 414], method, filled(path) + '/' + 'a' * 10240)
    case(f'{name}: a path upwards', [400, 404], method, '/../..' + plain)
    case(f'{name}: a broken query', [400], method, plain + '?a=%')
    if 'application/json' in body and len(body) == 1:
        kind = {'Content-Type': 'application/json'}
        case(f'{name}: bad JSON', [400, 404], method, plain, body=b'{"a":', headers=kind)
        case(f'{name}: JSON that ends in a backslash', [400, 404], method, plain, body=b'{"a":"\\', headers=kind)
        case(f'{name}: no object', [400, 404, 422], method, plain, body=b'[1]', headers=kind)
        case(f'{name}: JSON that is too deep', [400, 404], method, plain, body=b'{"a":' + b'[' * 5000, headers=kind)
        case(f'{name}: JSON that is not UTF-8', [400, 404], method, plain, body=b'{"a":"\xff"}', headers=kind)
        case(f'{name}: a body over the limit', [413, 404], method, plain, body=b'{"a":"' + b'x' * (2 << 20) + b'"}', headers=kind)
    if body:
        case(f'{name}: another type of body', [415], method, plain, body=b'<x/>', headers={'Content-Type': 'application/xml'})
        case(f'{name}: a body of no type', [415], method, plain, body=b'x')


status, _, text = ask('GET', '/api/schema/', token=None)
document = json.loads(text)
for path, operations in document['paths'].items():
    methods = {method.upper() for method in operations}
    for method, operation in operations.items():
        check(path, method.upper(), operation, methods)
for path in ('/', '/api', '/api/', '/api/jobs/1/../../../etc/passwd', '/.git/config', '/api/%2e%2e/%2e%2e/etc/passwd', '//etc/passwd'):
    case(f'{path}: nothing of the file system', [200, 302, 307, 308, 400, 404], 'GET', path)
# Fields without a value, too, have a number that a form may have.
field = b'--x\r\nContent-Disposition: form-data; name="pad"\r\n\r\n\r\n'
form = {'Content-Type': 'multipart/form-data; boundary=x'}
case('a form of too many fields', [400], 'POST', '/api/datasets/none/uploads', body=field * 3000 + b'--x--\r\n', headers=form)
field = field.replace(b'\r\n\r\n\r\n', b'\r\n\r\n' + b'a' * 60000 + b'\r\n')
case('a form of too long fields', [400], 'POST', '/api/datasets/none/uploads', body=field * 30 + b'--x--\r\n', headers=form)
case('a header of 20 KB', [431, 400], 'GET', '/api/jobs', headers={'X-Long': 'a' * 20480})
case('a header of bytes', [200, 400], 'GET', '/api/jobs', headers={'Accept': '\xff\xfe, */*'})
case('a length that is none', [400, 413], 'POST', '/api/jobs/1/cancel', headers={'Content-Length': '-5'})
sys.exit(failed)
