"""The pages of csvp-api, as a person uses them: 73-api-pages.py ADDRESS FOLDER PICTURES [TOKEN]"""
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from webdriver import Browser, Failed

address, folder, pictures = sys.argv[1:4]
token = sys.argv[4] if len(sys.argv) > 4 else None
failed = False


def case(name, good, why=''):
	global failed
	print(f'ok - {name}' if good else f'not ok - {name}' + (f'\n#   {why}' if why != '' else ''), flush=True)
	failed = failed or not good


def is_(got, wanted, name):
	case(name, got == wanted, f'expected {wanted!r}, got {got!r}')


def picture(browser, name):
	if pictures:
		browser.picture(os.path.join(pictures, f'{name}.png'))


def job_row(browser, file):
	for row in browser.find_all('#jobs .job'):
		if row.find('.file').text == file:
			return row
	raise Failed(f'no job of {file} is shown')


def state(browser, file):
	return job_row(browser, file).find('.state').text


def is_done_into(row, dataset):
	"""Both are asked of one row: a newer job of a file of this name may come before it at any time."""
	return row.find('.into').text == f'→ {dataset}' and row.find('.state').text == 'done'


def button(row, name):
	return next(b for b in row.find_all('button') if b.text == name)


def set_value(browser, selector, value):
	browser.run('''
		const field = document.querySelector(arguments[0]);
		const set = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set;
		set.call(field, arguments[1]);
		field.dispatchEvent(new Event("input", { bubbles: true }));
		field.dispatchEvent(new Event("change", { bubbles: true }));
	''', selector, value)


# --- Swagger UI ---

def open_operation(browser, id):
	block = browser.wait(lambda: browser.find(f'.opblock[id$="-{id}"]'))
	browser.run('arguments[0].scrollIntoView()', {'element-6066-11e4-a52e-4f735466cecf': block.id})
	block.find('.opblock-summary-control').click()
	browser.wait(lambda: block.find('.try-out__btn')).click()
	return f'.opblock[id$="-{id}"]'


def parameter(browser, block, name, value):
	# With a tab behind it: a field tells of its value when it is left.
	field = browser.wait(lambda: browser.find(f'{block} tr[data-param-name="{name}"] input'))
	field.clear()
	field.type(value + '\ue004')


def execute(browser, block):
	"""The status and the body of the answer."""
	browser.find(f'{block} .execute').click()
	status = browser.wait(lambda: browser.find(f'{block} .live-responses-table tbody .response-col_status').text.split()[0])
	return status, browser.find(f'{block} .live-responses-table .microlight').text


def docs(browser):
	browser.look(1200, 1400)
	browser.open(address + '/')
	is_(browser.address_shown, address + '/api/docs/', 'the first page is the documentation')
	is_(browser.find('body > header').text.split(), ['csvp', 'Jobs', 'API'], 'Swagger UI: under the header of all pages')
	upload = open_operation(browser, 'upload')
	picture(browser, 'docs')
	is_(browser.run('''
		return Array.from(document.querySelectorAll(".opblock-tag-section")).filter((s) => !s.querySelector(".opblock")).map((s) => s.innerText)
	'''), [], 'Swagger UI: no section is empty')
	parameter(browser, upload, 'dataset', 'by_docs')
	set_value(browser, f'{upload} select[aria-label="Request content type"]', 'multipart/form-data')
	file = browser.wait(lambda: browser.find(f'{upload} input[type=file]'))
	file.type(os.path.join(folder, 'companies.csv'))
	status, body = execute(browser, upload)
	is_(status, '202', 'Swagger UI: a file is uploaded')
	case('Swagger UI: the answer is its job', '"by_docs"' in body and '"companies.csv"' in body, body)
	picture(browser, 'docs-upload')
	number = body.split('"id":')[1].split(',')[0].strip()
	job = open_operation(browser, 'getJob')
	parameter(browser, job, 'id', number)

	def is_done():
		status, body = execute(browser, job)
		return status == '200' and '"state": "done"' in body and body
	body = browser.wait(is_done)
	case('Swagger UI: the job comes to its end', '"inserted": 57' in body, body)
	browser.open(address + '/api/docs/')
	search = open_operation(browser, 'searchRecords')
	parameter(browser, search, 'dataset', 'by_docs')
	browser.wait(lambda: browser.find(f'{search} tr[data-param-name="q"] .json-schema-form-item-add')).click()
	parameter(browser, search, 'q', 'denmark')
	status, body = execute(browser, search)
	is_(status, '200', 'Swagger UI: a search')
	case('Swagger UI: what was uploaded is found', '"total": 19' in body, body)
	picture(browser, 'docs-search')


# --- the jobs page ---

def sign_in(browser):
	browser.wait(lambda: browser.find('#token').visible)
	case('without a token the page asks for one', not browser.find('#content').visible)
	picture(browser, 'token')
	browser.find('#token').type('csvp_wrong\n')
	browser.wait(lambda: 'not known' in browser.find('#sign-in-why').text)
	browser.find('#token').type(token + '\n')
	browser.wait(lambda: browser.find('#content').visible)
	is_(browser.run('return [sessionStorage.getItem("csvp-token"), localStorage.length, document.cookie]'), [token, 0, ''],
		'a token is kept for this tab, and nowhere else')


def load(browser):
	browser.find('#dataset').type('by_page')
	browser.find('#key').type('id')
	browser.find('#files').type(os.path.join(folder, 'companies.csv'))
	browser.wait(lambda: is_done_into(job_row(browser, 'companies.csv'), 'by_page'))
	is_(job_row(browser, 'companies.csv').find('.books').text.split(), ['57', 'records', '=', '57', 'inserted'], 'a chosen file is loaded; its books')
	browser.find('summary').click()
	browser.find('#max-rejects').type('5')
	browser.find('#dataset').clear()
	browser.find('#dataset').type('flawed')
	with open(os.path.join(folder, 'flawed.csv'), encoding='utf-8') as file:
		text = file.read().replace('unknown', '"not\nknown"')
	browser.run('document.querySelector("#key").value = "id"')
	browser.drop('#drop', 'dropped.csv', text)
	browser.wait(lambda: state(browser, 'dropped.csv') in ('done', 'failed'))
	is_(state(browser, 'dropped.csv'), 'done', 'a file that is dropped there, too')


def rejects(browser):
	"""The column's type is the dataset's: the same file into a dataset of numbers."""
	browser.find('#dataset').clear()
	browser.find('#dataset').type('by_page')
	browser.drop('body', 'again.csv', open(os.path.join(folder, 'flawed.csv'), encoding='utf-8').read())
	browser.wait(lambda: state(browser, 'again.csv') == 'done')
	is_(job_row(browser, 'again.csv').find('.books').text.split(), ['57', 'records', '=', '55', 'unchanged', '2', 'rejected'], 'rejects stand in the books')
	button(job_row(browser, 'again.csv'), 'Rejects').click()
	browser.wait(lambda: browser.find_all('#rejects tbody tr'))
	is_([[cell.text for cell in row.find_all('td')] for row in browser.find_all('#rejects tbody tr')],
		[['6', 'founded', "not a number: 'unknown'", '5,"Company 5, Ltd",Kenya,unknown'],
		['18', 'founded', "not a number: 'unknown'", '17,"Company 17, Ltd",Kenya,unknown']], 'rejects are shown, with line, column and reason')
	picture(browser, 'rejects')
	browser.find('#rejects-close').click()


def refused(browser):
	browser.find('#key').clear()
	browser.find('#key').type('name')
	browser.drop('#drop', 'other-key.csv', 'id,name,country,founded\n1,a,b,3\n')
	error = browser.wait(lambda: browser.find('#uploads .error').text)
	case('what is refused says why', 'the key of dataset by_page is id, not name' in error, error)
	case('and need not be tried again', not button_visible(browser, '#uploads', 'Try again'))
	button(browser.find('#uploads'), 'Dismiss').click()
	is_(len(browser.find_all('#uploads .job')), 0, 'and is dismissed')


def button_visible(browser, selector, name):
	return any(b.text == name and b.visible for b in browser.find(selector).find_all('button'))


def ids(browser):
	return [row.find('td').text for row in browser.find_all('#results tbody tr')]


def search(browser):
	browser.run('document.querySelector("#search-dataset").value = "by_page"')
	browser.find('#query').type('company\n')
	browser.wait(lambda: browser.find('#found').text == '57 records.')
	first = ids(browser)
	is_(len(first), 20, 'search: a page of twenty')
	picture(browser, 'jobs-light')
	seen = list(first)
	for number in (2, 3):
		browser.find('#next').click()
		browser.wait(lambda: browser.find('#page').text == f'Page {number}')
		seen += ids(browser)
	is_(sorted(seen, key=int), [str(n) for n in range(1, 58)], 'search: next and next show every record once')
	case('search: the last page is the last', browser.find('#next').value_of('disabled'))
	browser.find('#previous').click()
	browser.wait(lambda: browser.find('#page').text == 'Page 2')
	browser.find('#previous').click()
	browser.wait(lambda: browser.find('#page').text == 'Page 1')
	is_(ids(browser), first, 'search: and back again')
	browser.find('#query').clear()
	browser.find('#query').type('denmark\n')
	browser.wait(lambda: browser.find('#found').text == '19 records.')
	browser.find('#query').clear()
	browser.find('#query').type('nowhere\n')
	browser.wait(lambda: browser.find('#found').text == 'Nothing found.')
	case('search: what is not there', not browser.find('#results').visible)


def looks(browser):
	for name, width, height, dark in (('dark', 1200, 1800, True), ('phone', 390, 1800, False), ('phone-dark', 360, 1800, True)):
		browser.look(width, height, dark)
		browser.find('#query').clear()
		browser.find('#query').type('company\n')
		browser.wait(lambda: browser.find('#found').text == '57 records.')
		is_(browser.run('return document.documentElement.scrollWidth <= innerWidth'), True, f'{name}: nothing is wider than the screen')
		picture(browser, f'jobs-{name}')
	# Whatever can be used has a name that a screen reader can tell.
	is_(browser.run('''
		return Array.from(document.querySelectorAll("button, input, select, progress"), (e) => [e, e.ariaLabel || e.textContent.trim()
			|| Array.from(e.labels || [], (l) => l.textContent.trim()).join("")]).filter(([, name]) => !name).map(([e]) => e.id)
	'''), [], 'each field and button has a name')
	browser.look(1200, 1400)
	browser.open(address + '/jobs')
	browser.wait(lambda: browser.find('#jobs .job'))
	reached = browser.run('return document.activeElement.tagName')
	names = []
	for _ in range(8):
		browser.command('POST', '/actions', {'actions': [{'type': 'key', 'id': 'keys',
			'actions': [{'type': 'keyDown', 'value': '\ue004'}, {'type': 'keyUp', 'value': '\ue004'}]}]})
		names.append(browser.run('return document.activeElement.id || document.activeElement.textContent.trim()'))
	is_(names, ['Skip to content', 'csvp', 'Jobs', 'API', 'files', 'dataset', 'key', 'More options'] if not token
		else ['Skip to content', 'csvp', 'Jobs', 'API', 'sign-out', 'files', 'dataset', 'key'], f'the keyboard reaches everything in order, from {reached}')


def quiet(browser, expected):
	said = [text for text in browser.complaints() if not any(part in text for part in expected)]
	is_(said, [], 'the console is silent')
	elsewhere = {url for url in browser.addresses() if urllib.parse.urlsplit(url).scheme in ('http', 'https', 'ws', 'wss', 'ftp')
		and not url.startswith(address + '/')}
	is_(elsewhere, set(), 'nothing was asked of anybody else')


try:
	with Browser(folder) as browser:
		if token:
			browser.look(1200, 1400)
			browser.open(address + '/jobs')
			sign_in(browser)
			browser.wait(lambda: state(browser, 'again.csv') == 'done')
			case('with a token the jobs are shown', True)
			looks(browser)
			# The browser itself tells of the refusals that were provoked.
			quiet(browser, ['401 (Unauthorized)'])
		else:
			docs(browser)
			browser.open(address + '/jobs')
			load(browser)
			rejects(browser)
			refused(browser)
			search(browser)
			looks(browser)
			quiet(browser, ['uploads?key=name&max-rejects=5&file=other-key.csv - Failed to load resource: the server responded with a status of 422'])
except Failed as failure:
	case('the pages can be used', False, failure)
sys.exit(failed)
