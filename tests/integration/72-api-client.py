"""A client that openapi-python-client has written into ./client, used as its reader would: python3 72-api-client.py URL CSV."""
import sys
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, '.')
from client import Client
from client.api.datasets import create_dataset, get_dataset, list_datasets, upload, verify_dataset
from client.api.health import ready
from client.api.jobs import get_job, list_jobs, cancel_job
from client.api.search import search_records
from client.models import DatasetDefinition, Problem, UploadFilesBody
from client.types import File

failed = False


def check(name, true, what=''):
    global failed
    failed = failed or not true
    print(f'ok - client: {name}' if true else f'not ok - client: {name}\n#   {what}')


client = Client(base_url=sys.argv[1])
check('the services are ready', ready.sync(client=client).status == 'ok')
made = create_dataset.sync(client=client, body=DatasetDefinition.from_dict(
    {'name': 'made', 'columns': [{'header': 'Id', 'type': 'bigint'}], 'key': ['Id']}))
check('a dataset is defined', made.name == 'made' and made.key == ['id'], made)
check('and found', get_dataset.sync('made', client=client).columns[0].type_ == 'bigint')
check('among the others', 'made' in [d.name for d in list_datasets.sync(client=client).results])
check('it is proven', verify_dataset.sync('made', client=client).agrees)
with open(sys.argv[2], 'rb') as file:
    body = UploadFilesBody(file=File(payload=file, file_name='regions.csv', mime_type='text/csv'))
    job = upload.sync('again', client=client, body=body, key=['id'])
check('a file is uploaded', job.dataset == 'again', job)
first = job.id
while job.state in ('waiting', 'loading', 'indexing'):
    job = get_job.sync(first, client=client, wait=30)
check('and loaded', job.state == 'done' and job.records == job.inserted == 3987, job)
check('its rows are proven', verify_dataset.sync('again', client=client).rows == 3987)
with open(sys.argv[2], 'rb') as file:
    body = UploadFilesBody(file=File(payload=file, file_name='regions.csv', mime_type='text/csv'))
    upload.sync('another', client=client, body=body, key=['id'])
names, cursor, pages = [], {}, 0
while True:
    page = search_records.sync('again', client=client, q='parish', page_size=3, **cursor)
    names += [dict(record.to_dict())['name'] for record in page.results]
    pages += 1
    if page.next_ is None:
        break
    # A link to the next page: its cursor is what the client takes.
    cursor = {'cursor': parse_qs(urlsplit(page.next_).query)['cursor'][0]}
check('a search goes on from page to page',
      pages > 1 and len(names) == page.total > 3 and all('Parish' in name for name in names), (pages, len(names), page.total))
seen, cursor = [], {}
while True:
    page = list_jobs.sync(client=client, page_size=1, **cursor)
    seen += [job.id for job in page.results]
    if page.next_ is None:
        break
    cursor = {'cursor': int(parse_qs(urlsplit(page.next_).query)['cursor'][0])}
check('jobs come page by page', len(seen) == len(set(seen)) >= 2 and seen == sorted(seen, reverse=True) and first in seen, seen)
problem = cancel_job.sync(first, client=client)
check('a problem is one', isinstance(problem, Problem) and problem.status == 409, problem)
sys.exit(failed)
