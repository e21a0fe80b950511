"""A browser without a window, driven by the WebDriver protocol (W3C) of chromedriver; Python's own library is enough.

	with Browser(folder) as browser:
		browser.open('http://127.0.0.1:8000/jobs')
		browser.find('#query').type('vor\\n')
		browser.wait(lambda: browser.find('#found').text == '3 records.')

What the browser's console said and which addresses it asked for is kept: browser.complaints(), browser.addresses().
"""
import base64
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'
WAIT_SECONDS = 30


class Failed(Exception):
	pass


class Element:
	def __init__(self, browser, id):
		self.browser, self.id = browser, id

	def _get(self, what):
		return self.browser.command('GET', f'/element/{self.id}/{what}')

	@property
	def text(self):
		return self._get('text')

	def value_of(self, name):
		return self._get(f'property/{name}')

	@property
	def visible(self):
		return self._get('displayed')

	def click(self):
		self.browser.command('POST', f'/element/{self.id}/click', {})

	def clear(self):
		self.browser.command('POST', f'/element/{self.id}/clear', {})

	def type(self, text):
		"""Type into a field; into one for files: the path of a file."""
		self.browser.command('POST', f'/element/{self.id}/value', {'text': text})

	def find(self, selector):
		return self.browser.find(selector, self)

	def find_all(self, selector):
		return self.browser.find_all(selector, self)


class Browser:
	def __init__(self, folder):
		self.folder = folder
		self.session = ''
		self.said, self.asked = [], []

	def __enter__(self):
		log = open(os.path.join(self.folder, 'chromedriver.log'), 'w')
		self.driver = subprocess.Popen(['chromedriver', '--port=0'], stdout=subprocess.PIPE, stderr=log, text=True)
		for line in self.driver.stdout:
			# "ChromeDriver was started successfully on port 33333."
			if 'started successfully on port' in line:
				self.address = 'http://127.0.0.1:' + line.rstrip('. \n').split()[-1]
				break
		else:
			raise Failed('chromedriver does not start')
		arguments = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
			'--disable-background-networking', '--disable-component-update', '--disable-sync', '--lang=en',
			f'--user-data-dir={self.folder}/profile']
		try:
			answer = self._ask('POST', '/session', {'capabilities': {'alwaysMatch': {
				'browserName': 'chrome',
				'goog:chromeOptions': {'args': arguments, 'binary': shutil.which('chromium')},
				'goog:loggingPrefs': {'browser': 'ALL', 'performance': 'ALL'},
			}}})
		except BaseException:
			self.driver.kill()
			self.driver.wait()
			raise
		self.session = f'/session/{answer["sessionId"]}'
		return self

	def __exit__(self, *_):
		try:
			self._ask('DELETE', self.session)
		finally:
			self.driver.terminate()
			self.driver.wait()

	def _ask(self, method, path, body=None):
		data = json.dumps(body).encode() if body is not None else None
		request = urllib.request.Request(self.address + path, data, {'Content-Type': 'application/json'}, method=method)
		try:
			with urllib.request.urlopen(request, timeout=120) as answer:
				return json.load(answer)['value']
		except urllib.error.HTTPError as error:
			value = json.load(error)['value']
			raise Failed(f'{value["error"]}: {value["message"].splitlines()[0]}') from None

	def command(self, method, path, body=None):
		return self._ask(method, self.session + path, body)

	def open(self, address):
		self.command('POST', '/url', {'url': address})

	@property
	def address_shown(self):
		return self.command('GET', '/url')

	def find_all(self, selector, within=None):
		path = f'/element/{within.id}/elements' if within else '/elements'
		found = self.command('POST', path, {'using': 'css selector', 'value': selector})
		return [Element(self, item[ELEMENT]) for item in found]

	def find(self, selector, within=None):
		found = self.find_all(selector, within)
		if not found:
			raise Failed(f'there is no {selector}')
		return found[0]

	def run(self, script, *arguments):
		return self.command('POST', '/execute/sync', {'script': script, 'args': arguments})

	def devtools(self, command, **parameters):
		return self.command('POST', '/goog/cdp/execute', {'cmd': command, 'params': parameters})

	def wait(self, condition):
		"""Until it is true, and what it says then; that it fails counts as not yet."""
		end = time.monotonic() + WAIT_SECONDS
		while True:
			why = None
			try:
				value = condition()
				if value:
					return value
			except Failed as failure:
				why = failure
			if time.monotonic() > end:
				line = sys._getframe(1).f_lineno
				raise Failed(f'waited {WAIT_SECONDS} s in vain at line {line}: {why or "it is not true"}')
			time.sleep(0.05)

	def look(self, width, height, dark=False):
		"""As on a screen of this size, in light or in dark."""
		self.devtools('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1,
			mobile=width < 500)
		self.devtools('Emulation.setEmulatedMedia',
			features=[{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}])

	def picture(self, path):
		with open(path, 'wb') as file:
			file.write(base64.b64decode(self.command('GET', '/screenshot')))

	def drop(self, selector, name, text):
		"""Drop a file there, as a person does with the mouse: the page sees it come, and where it is let go."""
		self.run('''
			const target = document.querySelector(arguments[0]), data = new DataTransfer();
			data.items.add(new File([arguments[2]], arguments[1], { type: "text/csv" }));
			for (const type of ["dragenter", "dragover", "drop"])
				target.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
		''', selector, name, text)

	def _read_logs(self):
		for entry in self.command('POST', '/se/log', {'type': 'browser'}):
			if entry['level'] in ('SEVERE', 'WARNING'):
				self.said.append(entry['message'])
		for entry in self.command('POST', '/se/log', {'type': 'performance'}):
			message = json.loads(entry['message'])['message']
			if message['method'] == 'Network.requestWillBeSent':
				self.asked.append(message['params']['request']['url'])

	def complaints(self):
		"""Errors and warnings of the console, of the pages' scripts and of the browser about them."""
		self._read_logs()
		return self.said

	def addresses(self):
		"""Whatever was asked for by HTTP, in order."""
		self._read_logs()
		return self.asked
