"use strict";
/* The jobs page: everything it shows and does goes through the API that /api/docs/ describes. */

const $ = (id) => document.getElementById(id);
const ACTIVE = new Set(["uploading", "waiting", "loading", "indexing"]);
const BOOKS = ["inserted", "updated", "unchanged", "superseded", "rejected"];
const PAGE = 20;
const numbers = new Intl.NumberFormat("en");
const times = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/* An element with properties, data-* and aria-* attributes, and children; texts are texts, never HTML. */
function el(tag, properties = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(properties)) {
		if (name.includes("-")) element.setAttribute(name, value);
		else element[name] = value;
	}
	element.append(...children);
	return element;
}

/* Changing a text only if it differs leaves selections and screen readers in peace. */
function say(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

function announce(text) {
	say($("announce"), text);
}

function size(bytes) {
	const units = ["bytes", "kB", "MB", "GB", "TB"];
	let unit = 0;
	while (bytes >= 1000 && unit < units.length - 1) {
		bytes /= 1000;
		unit++;
	}
	return `${bytes >= 100 || unit === 0 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

function count(n, one, many = one + "s") {
	return `${numbers.format(n)} ${n === 1 ? one : many}`;
}

/* --- the API --- */

class Problem extends Error {
	constructor(status, text) {
		super(text);
		this.status = status;
	}
}

const token = {
	get: () => sessionStorage.getItem("csvp-token"),
	headers: () => (token.get() ? { Authorization: `Bearer ${token.get()}` } : {}),
};

function problemOf(status, text) {
	try {
		return new Problem(status, JSON.parse(text).detail || `the answer was ${status}`);
	} catch {
		return new Problem(status, status === 0 ? "the server does not answer" : `the answer was ${status}`);
	}
}

async function ask(path, options = {}) {
	const shown = token.get();
	let response;
	try {
		response = await fetch(path, { ...options, headers: { ...token.headers(), ...options.headers } });
	} catch {
		throw problemOf(0, "");
	}
	if (response.ok) return response;
	refusedTo(shown, response.status);
	throw problemOf(response.status, await response.text());
}

const askJSON = async (path, options) => (await ask(path, options)).json();

/* Two requests may fail by one token; by the second answer another may have been given. */
function refusedTo(shown, status) {
	if (status === 401 && token.get() === shown) signIn();
}

function signIn() {
	$("sign-in").hidden = false;
	$("content").hidden = true;
	$("sign-out").hidden = true;
	if (token.get()) say($("sign-in-why"), "This token is not known here, or not any more.");
	sessionStorage.removeItem("csvp-token");
	$("token").focus();
}

$("sign-in").addEventListener("submit", (event) => {
	event.preventDefault();
	sessionStorage.setItem("csvp-token", $("token").value.trim());
	$("token").value = "";
	$("sign-in").hidden = true;
	$("content").hidden = false;
	start();
});

$("sign-out").addEventListener("click", () => {
	sessionStorage.removeItem("csvp-token");
	start();
});

/* --- uploads: one after the other --- */

const waiting = [];
let sending = null;

/* As csvp-upload names a dataset after a file. */
function datasetOf(name) {
	return name.replace(/\.(gz|zst)$/i, "").replace(/\.(csv|tsv|txt)$/i, "") || name;
}

function randomName() {
	return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

function optionsOfForm() {
	const query = new URLSearchParams();
	for (const column of $("key").value.split(",").map((text) => text.trim()).filter(Boolean)) query.append("key", column);
	for (const name of ["delimiter", "encoding", "max-rejects"]) if ($(name).value.trim()) query.append(name, $(name).value.trim());
	if ($("no-header").checked) query.append("no-header", "true");
	return query;
}

function addFiles(files) {
	for (const file of files) {
		const query = optionsOfForm();
		query.append("file", file.name);
		const upload = {
			file,
			dataset: $("dataset").value.trim() || datasetOf(file.name),
			query,
			name: randomName(), // so that trying again cannot load it twice
			state: el("span", { className: "state" }),
			bar: el("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` }),
			note: el("p", { className: "hint when" }),
			error: el("p", { className: "error", hidden: true }),
			again: el("button", { type: "button", className: "small", hidden: true }, "Try again"),
			drop: el("button", { type: "button", className: "small" }, "Cancel"),
		};
		upload.row = el("li", { className: "job" },
			el("div", { className: "title" }, el("span", { className: "file" }, file.name),
				el("span", { className: "into" }, `→ ${upload.dataset}`), upload.state),
			upload.bar, upload.error, el("div", { className: "foot" }, upload.note, upload.again, upload.drop));
		upload.again.addEventListener("click", () => enqueue(upload));
		upload.drop.addEventListener("click", () => removeUpload(upload));
		$("uploads").append(upload.row);
		enqueue(upload);
	}
}

function enqueue(upload) {
	upload.state.dataset.state = "queued";
	say(upload.state, "next");
	say(upload.note, size(upload.file.size));
	upload.error.hidden = upload.again.hidden = true;
	waiting.push(upload);
	sendNext();
}

function removeUpload(upload) {
	const index = waiting.indexOf(upload);
	if (index >= 0) waiting.splice(index, 1);
	if (sending === upload) upload.request.abort();
	upload.row.remove();
}

/* fetch() tells nothing of how far an upload is; XMLHttpRequest does. */
function sendNext() {
	if (sending || waiting.length === 0) return;
	const upload = sending = waiting.shift();
	const request = upload.request = new XMLHttpRequest();
	const begun = performance.now();
	upload.token = token.get();
	request.open("POST", `/api/datasets/${encodeURIComponent(upload.dataset)}/uploads?${upload.query}`);
	for (const [name, value] of Object.entries(token.headers())) request.setRequestHeader(name, value);
	request.setRequestHeader("Content-Type", "text/csv");
	request.setRequestHeader("Idempotency-Key", upload.name);
	request.upload.addEventListener("progress", (event) => {
		const rate = event.loaded / Math.max(performance.now() - begun, 1) * 1000;
		upload.bar.value = event.total ? event.loaded / event.total : 0;
		say(upload.note, `${size(event.loaded)} of ${size(event.total)}, ${size(rate)} a second`);
	});
	request.addEventListener("loadend", () => {
		sending = null;
		if (request.status === 202) {
			upload.row.remove();
			announce(`${upload.file.name} is stored`);
		} else if (upload.row.isConnected) {
			uploadFailed(upload, request);
		}
		poll();
		loadDatasets();
		sendNext();
	});
	upload.state.dataset.state = "uploading";
	say(upload.state, "uploading");
	request.send(upload.file);
}

function uploadFailed(upload, request) {
	refusedTo(upload.token, request.status);
	upload.state.dataset.state = "failed";
	say(upload.state, "not loaded");
	say(upload.error, problemOf(request.status, request.responseText).message);
	upload.error.hidden = false;
	/* What the server refuses it refuses again. */
	upload.again.hidden = request.status >= 400 && request.status < 500 && request.status !== 401;
	say(upload.drop, "Dismiss");
	announce(`${upload.file.name}: ${upload.error.textContent}`);
}

$("files").addEventListener("change", () => {
	addFiles($("files").files);
	$("files").value = "";
});
$("upload").addEventListener("submit", (event) => event.preventDefault());

/* A file may be dropped anywhere: beside the field the browser would leave the page for it. */
for (const type of ["dragenter", "dragover", "dragleave", "drop"])
	document.addEventListener(type, (event) => {
		if (!event.dataTransfer || !Array.from(event.dataTransfer.types).includes("Files")) return;
		event.preventDefault();
		$("drop").classList.toggle("over", type === "dragenter" || type === "dragover");
		if (type === "drop" && !$("content").hidden) addFiles(event.dataTransfer.files);
	});

/* --- jobs --- */

const rows = new Map();
let older = null; // the address where the list goes on; undefined: nowhere
let timer = 0, polling = false, again = false; // again: asked for while an answer was on its way, which may be old

function newRow(job) {
	const row = {
		state: el("span", { className: "state" }),
		bar: el("progress", { max: 1, "aria-label": `Progress of job ${job.id}` }),
		balance: el("div", { className: "balance", "aria-hidden": "true" }),
		books: el("div", { className: "books" }),
		error: el("p", { className: "error", hidden: true }),
		when: el("span", { className: "hint when" }),
		parts: {},
		buttons: {},
	};
	for (const name of BOOKS) row.parts[name] = row.balance.appendChild(el("i", { className: name, hidden: true }));
	const act = (name, label, action) => {
		row.buttons[name] = el("button", { type: "button", className: "small", hidden: true, "aria-label": `${label}: job ${job.id}` }, label);
		row.buttons[name].addEventListener("click", action);
	};
	act("rejects", "Rejects", () => showRejects(job.id));
	act("search", "Search it", () => {
		$("search-dataset").value = job.dataset;
		$("query").value = "";
		$("query").focus();
		search();
	});
	for (const [name, label] of [["pause", "Pause"], ["resume", "Resume"], ["retry", "Try again"], ["cancel", "Cancel"]])
		act(name, label, () => command(job.id, name));
	row.item = el("li", { className: "job", id: `job-${job.id}` },
		el("div", { className: "title" }, el("span", { className: "file" }, job.file === "-" ? `job ${job.id}` : job.file),
			el("span", { className: "into" }, `→ ${job.dataset}`), row.state),
		row.bar, row.balance, row.books, row.error, el("div", { className: "foot" }, row.when, ...Object.values(row.buttons)));
	rows.set(job.id, row);
	return row;
}

/* Loading and indexing are half of the way each. */
function progressOf(job) {
	const c = job.chunks;
	return c.total > 0 ? (c.indexed + c.loaded / 2) / c.total : null;
}

function showBooks(row, job) {
	const parts = [];
	let booked = 0;
	for (const name of BOOKS) {
		booked += job[name];
		row.parts[name].hidden = job[name] === 0;
		row.parts[name].style.flexGrow = job[name];
		if (job[name] > 0) parts.push(el("span", { className: name }, el("b", {}, numbers.format(job[name])), ` ${name}`));
	}
	/* What is still to come leaves its part of the bar empty. */
	row.balance.style.setProperty("padding-right", job.records > booked ? `${100 * (job.records - booked) / job.records}%` : "0");
	if (job.records > 0) parts.unshift(el("span", {}, el("b", {}, numbers.format(job.records)), job.records === 1 ? " record =" : " records ="));
	if (job.records > booked) parts.push(el("span", {}, el("b", {}, numbers.format(job.records - booked)), " to come"));
	if (job.replayed > 0) parts.push(el("span", { className: "replayed" }, el("b", {}, numbers.format(job.replayed)), " repaired"));
	const text = parts.map((part) => part.textContent).join(" ");
	if (row.shown !== text) {
		row.shown = text;
		row.books.replaceChildren(...parts);
	}
	row.balance.hidden = job.records === 0;
	row.books.hidden = parts.length === 0;
}

function showJob(job) {
	const row = rows.get(job.id) || newRow(job);
	const active = ACTIVE.has(job.state), progress = progressOf(job);
	if (row.was && row.was !== job.state && !active)
		announce(`${job.file === "-" ? `job ${job.id}` : job.file}: ${job.state}${job.rejected > 0 ? `, ${count(job.rejected, "reject")}` : ""}`);
	row.was = job.state;
	row.state.dataset.state = job.state;
	say(row.state, job.state);
	row.bar.hidden = !active && job.state !== "paused";
	if (progress === null) row.bar.removeAttribute("value");
	else row.bar.value = progress;
	showBooks(row, job);
	row.error.hidden = !job.error;
	say(row.error, job.error || "");
	const when = job.finished_at || job.created_at;
	say(row.when, `Job ${job.id}, ${size(job.bytes)}${when ? `, ${times.format(new Date(when))}` : ""}`);
	row.buttons.rejects.hidden = job.rejected === 0;
	row.buttons.search.hidden = job.state !== "done";
	row.buttons.pause.hidden = !["waiting", "loading", "indexing"].includes(job.state);
	row.buttons.cancel.hidden = row.buttons.pause.hidden && job.state !== "paused";
	row.buttons.resume.hidden = job.state !== "paused";
	row.buttons.retry.hidden = job.chunks.failed === 0 && !(job.state === "failed" && job.chunks.total === 0);
	return row;
}

function showJobs(page, behind) {
	const list = $("jobs");
	for (const job of page.results) {
		const known = rows.has(job.id), row = showJob(job);
		if (known) continue;
		/* The list is by id, the newest first. */
		const next = behind ? null : Array.from(list.children).find((item) => Number(item.id.slice(4)) < job.id);
		list.insertBefore(row.item, next || null);
	}
	if (behind || older === null) older = page.next || undefined;
	$("more-jobs").hidden = !older;
	$("no-jobs").hidden = false; // and shown where both lists are empty
}

async function poll() {
	clearTimeout(timer);
	if (!$("sign-in").hidden) return;
	again = polling;
	if (polling) return;
	polling = true;
	let pause = 4000;
	try {
		const page = await askJSON(`/api/jobs?page_size=${PAGE}`);
		const wasActive = Array.from(rows.values()).some((row) => ACTIVE.has(row.was));
		showJobs(page, false);
		if (page.results.some((job) => ACTIVE.has(job.state))) pause = 700;
		else if (wasActive) loadDatasets();
		say($("connection"), "");
	} catch (problem) {
		if (problem.status !== 401) say($("connection"), `${problem.message}; trying again`);
	}
	polling = false;
	if (again) poll();
	else if (!document.hidden) timer = setTimeout(poll, pause);
}

document.addEventListener("visibilitychange", () => !document.hidden && poll());

$("more-jobs").addEventListener("click", async () => {
	try {
		showJobs(await askJSON(older), true);
	} catch (problem) {
		say($("connection"), problem.message);
	}
});

async function command(id, verb) {
	try {
		showJob(await askJSON(`/api/jobs/${id}/${verb}`, { method: "POST" }));
		poll();
	} catch (problem) {
		announce(problem.message);
		say($("connection"), problem.message);
	}
}

/* --- rejects --- */

/* CSV as RFC 4180 has it, at most so many rows. */
function parseCSV(text, most) {
	const table = [];
	let row = [], field = "", quoted = false;
	for (let i = 0; i < text.length && table.length < most; i++) {
		const c = text[i];
		if (quoted) {
			if (c !== '"') field += c;
			else if (text[i + 1] === '"') field += text[++i];
			else quoted = false;
		} else if (c === '"') {
			quoted = true;
		} else if (c === "," || c === "\n") {
			row.push(field);
			field = "";
			if (c === "\n") {
				table.push(row);
				row = [];
			}
		} else if (c !== "\r") {
			field += c;
		}
	}
	return table;
}

let rejectsFile = null;

async function showRejects(id) {
	say($("rejects-title"), `Rejects of job ${id}`);
	say($("rejects-note"), "Reading…");
	$("rejects-table").replaceChildren();
	$("rejects-save").disabled = true;
	$("rejects").showModal();
	try {
		const response = await ask(`/api/jobs/${id}/rejects`, { headers: { Accept: "text/csv" } });
		rejectsFile = { id, blob: await response.blob() };
	} catch (problem) {
		say($("rejects-note"), problem.message);
		return;
	}
	const [header, ...records] = parseCSV(await rejectsFile.blob.slice(0, 4 << 20).text(), 201);
	const at = (name) => header.lastIndexOf(name);
	const columns = [["_line", "Line"], ["_column", "Column"], ["_reason", "Reason"], ["_raw", "Record"]].filter(([name]) => at(name) >= 0);
	$("rejects-table").replaceChildren(el("table", {},
		el("thead", {}, el("tr", {}, ...columns.map(([, title]) => el("th", { scope: "col" }, title)))),
		el("tbody", {}, ...records.map((record) => el("tr", {}, ...columns.map(([name]) =>
			name === "_raw" ? el("td", {}, el("code", {}, record[at(name)] || "")) : el("td", {}, record[at(name)] || "")))))));
	say($("rejects-note"), `${records.length === 200 ? "The first 200" : count(records.length, "record")}.`);
	$("rejects-save").disabled = false;
}

$("rejects-close").addEventListener("click", () => $("rejects").close());
$("rejects-save").addEventListener("click", () => {
	const link = el("a", { href: URL.createObjectURL(rejectsFile.blob), download: `rejects-${rejectsFile.id}.csv` });
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});

/* --- search --- */

let pages = [], page = 0; // addresses of the pages seen so far, and which is shown

async function loadDatasets() {
	let list;
	try {
		list = await askJSON("/api/datasets");
	} catch {
		return;
	}
	const names = (list.results || list).map((dataset) => dataset.name);
	const select = $("search-dataset"), chosen = select.value;
	if (names.join("\n") !== Array.from(select.options, (option) => option.value).join("\n")) {
		select.replaceChildren(...names.map((name) => el("option", { value: name }, name)));
		$("datasets").replaceChildren(...names.map((name) => el("option", { value: name })));
		if (names.includes(chosen)) select.value = chosen;
	}
}

function addressOf(dataset) {
	const query = new URLSearchParams({ page_size: PAGE });
	if ($("query").value.trim()) query.set("q", $("query").value.trim());
	return `/api/datasets/${encodeURIComponent(dataset)}/search?${query}`;
}

function showRecords(records) {
	const names = [];
	for (const record of records) for (const name of Object.keys(record)) if (!name.startsWith("_") && !names.includes(name)) names.push(name);
	const cell = (value) => {
		if (value === null || value === undefined) return el("td", { className: "none" }, "–");
		return el("td", { className: typeof value === "number" ? "number" : "" }, String(value));
	};
	$("results").replaceChildren(el("table", {},
		el("thead", {}, el("tr", {}, ...names.map((name) =>
			el("th", { scope: "col", className: records.some((record) => typeof record[name] === "number") ? "number" : "" }, name)))),
		el("tbody", {}, ...records.map((record) => el("tr", {}, ...names.map((name) => cell(record[name])))))));
	$("results").scrollLeft = 0;
}

async function showPage(number) {
	let answer;
	try {
		answer = await askJSON(pages[number]);
	} catch (problem) {
		say($("found"), problem.message);
		return;
	}
	page = number;
	pages.length = number + 1;
	if (answer.next) pages.push(answer.next);
	showRecords(answer.results);
	say($("found"), answer.results.length === 0 ? "Nothing found." : `${count(answer.total, "record")}.`);
	$("results").hidden = answer.results.length === 0;
	$("pager").hidden = pages.length < 2;
	say($("page"), `Page ${page + 1}`);
	$("previous").disabled = page === 0;
	$("next").disabled = !answer.next;
}

function search() {
	if (!$("search-dataset").value) return;
	pages = [addressOf($("search-dataset").value)];
	showPage(0);
}

$("search").addEventListener("submit", (event) => {
	event.preventDefault();
	search();
});
$("previous").addEventListener("click", () => showPage(page - 1));
$("next").addEventListener("click", () => showPage(page + 1));

function start() {
	$("sign-out").hidden = !token.get();
	poll();
	loadDatasets();
}

start();
