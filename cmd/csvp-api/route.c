#include "route.h"

#include "datasets.h"
#include "health.h"
#include "jobs.h"
#include "metrics.h"
#include "openapi.h"
#include "pages.h"
#include "records.h"
#include "search.h"
#include "throttle.h"
#include "uploads.h"

#define STATES "uploading waiting loading indexing done failed cancelled paused"

static const struct route_parameter job_list[] = {
    {.name = "dataset", .kind = ROUTE_TEXT, .text = "Only jobs of this dataset."},
    {.name = "state", .kind = ROUTE_CHOICE, .choices = STATES, .text = "Only jobs in this state."},
    {.name = "page_size", .kind = ROUTE_INTEGER, .least = 1, .most = 1000, .text = "Jobs at most; 20 by default."},
    {.name = "cursor",
	.kind = ROUTE_INTEGER,
	.least = 1,
	.most = INT64_MAX,
	.text = "Where to go on; it is part of the link `next`."},
    {.name = NULL},
};

static const struct route_parameter job_wait[] = {
    {.name = "wait",
	.kind = ROUTE_INTEGER,
	.least = 0,
	.most = 60,
	.text = "Answer when the job is done, failed, cancelled or paused, after so many seconds at the latest."},
    {.name = NULL},
};

#define NO_DATASET                                                                                                     \
	{                                                                                                              \
		404, "There is no such dataset.", "Problem"                                                            \
	}
/* Of the options of csvp-upload: route_init. */
static struct route_parameter upload_create[UPLOADS_PARAMETERS];

#define ANYTHING "text/html text/css text/javascript image/svg+xml text/plain"

static const struct route_parameter search_page[] = {
    {.name = "q",
	.kind = ROUTE_TEXT,
	.text = "Words, all of which must be in a record's text columns, mistyped ones too; a `\"phrase in double "
		"quotes\"`;"
		" a prefix*. Nothing, empty quotes or a `*` alone: all records; signs alone: none.",
	.repeatable = true},
    {.name = "where",
	.kind = ROUTE_TEXT,
	.text = "A condition: `COL=VALUE`, or `!=`, `<`, `<=`, `>`, `>=`, or `COL is null`. All must hold. For what the"
		" parameters named as the columns cannot say, or for columns whose names others have.",
	.repeatable = true},
    {.name = "sort",
	.kind = ROUTE_TEXT,
	.text =
	    "A column, or `COL:desc`. By default the best match comes first, and without words the order is that of the"
	    " key."},
    {.name = "page_size", .kind = ROUTE_INTEGER, .least = 0, .most = 1000, .text = "Records at most; 20 by default."},
    {.name = "cursor",
	.kind = ROUTE_TEXT,
	.text = "Where to go on; it is part of the link `next`. Words, conditions and sort must be the same."},
    {.name = "facet",
	.kind = ROUTE_TEXT,
	.text = "A column whose most frequent values are to be counted over all records that match; up to ten.",
	.repeatable = true},
    {.name = "highlight",
	.kind = ROUTE_TEXT,
	.text =
	    "Mark the words that were found, in a member `_highlight`: `BEGIN,END` are put around each, `true` stands"
	    " for `[,]`. To make HTML of it, choose marks that the text does not have, escape the text, then replace"
	    " them.",
	.example = "true"},
    {.name = NULL},
};

static const struct route_parameter record_edit[] = {
    {.name = "If-Match",
	.kind = ROUTE_TEXT,
	.text = "Only if the record has still this ETag, or with `*` only if it is there; else 412.",
	.header = true},
    {.name = NULL},
};

static const struct route_parameter record_replace[] = {
    {.name = "If-Match",
	.kind = ROUTE_TEXT,
	.text = "Only if the record has still this ETag, or with `*` only if it is there; else 412.",
	.header = true},
    {.name = "If-None-Match",
	.kind = ROUTE_CHOICE,
	.choices = "*",
	.text = "`*`: only if there is no such record; else 412.",
	.header = true},
    {.name = NULL},
};

static const struct route_parameter record_read[] = {
    {.name = "If-None-Match",
	.kind = ROUTE_TEXT,
	.text = "An ETag that is known: 304 if the record still has it.",
	.header = true},
    {.name = NULL},
};

#define RECORD_KEY                                                                                                     \
	"The key in the path is the values of its columns, in their order, apart by commas, each percent-encoded. An"  \
	" empty value is written `=`, and `.` and `..` are `=.` and `=..`. Without a key of its own a dataset's"       \
	" records are known by the `_id` of search results. "
#define RECORD_EDIT                                                                                                    \
	"An edit counts as later than all files uploaded before it, and is found by searches within a second while"    \
	" workers run."
#define NO_RECORD                                                                                                      \
	{                                                                                                              \
		404, "There is no such record, or no such dataset.", "Problem"                                         \
	}
#define RECORD_FAILED                                                                                                  \
	{                                                                                                              \
		412, "The record has another ETag by now.", "Problem"                                                  \
	}
#define RECORD_INVALID                                                                                                 \
	{                                                                                                              \
		422, "A field is wrong: `errors` names it, and says why.", "Problem"                                   \
	}

#define NO_JOB                                                                                                         \
	{                                                                                                              \
		404, "There is no such job.", "Problem"                                                                \
	}
#define JOB_HELD                                                                                                       \
	{                                                                                                              \
		202,                                                                                                   \
		    "It is stopped, but a worker that does not answer has not let go of it yet; what it was at is"     \
		    " rolled back when it does.",                                                                      \
		    "Job"                                                                                              \
	}
#define JOB_CONFLICT                                                                                                   \
	{                                                                                                              \
		409, "Not in the state that the job is in.", "Problem"                                                 \
	}

/* In the order of the document: by what they are about. */
static const struct route routes[] = {
    {.method = "GET",
	.pattern = "/api/datasets",
	.scope = API_READ,
	.handle = api_datasets_list,
	.id = "listDatasets",
	.tag = "datasets",
	.summary = "The datasets, their columns and keys",
	.answers = {{200, "All of them, by name.", "DatasetList"}}},
    {.method = "POST",
	.pattern = "/api/datasets",
	.scope = API_WRITE,
	.handle = api_datasets_create,
	.id = "createDataset",
	.tag = "datasets",
	.summary = "Define a dataset with an empty table",
	.text = "An upload defines a dataset, too, from the values of its file.",
	.takes = "application/json",
	.body = "DatasetDefinition",
	.answers = {{201, "It is ready to be loaded and edited.", "Dataset"},
	    {409, "There is one of this name already.", "Problem"}, {422, "A column or the key is wrong.", "Problem"}}},
    {.method = "GET",
	.pattern = "/api/datasets/{dataset}",
	.scope = API_READ,
	.handle = api_datasets_show,
	.id = "getDataset",
	.tag = "datasets",
	.summary = "A dataset, its columns and its key",
	.answers = {{200, "The dataset.", "Dataset"}, NO_DATASET}},
    {.method = "DELETE",
	.pattern = "/api/datasets/{dataset}",
	.scope = API_ADMIN,
	.handle = api_datasets_drop,
	.id = "dropDataset",
	.tag = "datasets",
	.summary = "Remove a dataset: table, index, jobs and stored files",
	.answers = {{204, "It is gone.", NULL}, NO_DATASET}},
    {.method = "POST",
	.pattern = "/api/datasets/{dataset}/verify",
	.scope = API_READ,
	.handle = api_datasets_verify,
	.id = "verifyDataset",
	.tag = "datasets",
	.summary = "Prove that stored files, books, table and index agree",
	.text = "Reads all stored files of the dataset again, which takes its time.",
	.answers = {{200, "What was compared, and what disagrees.", "Verification"}, NO_DATASET,
	    {409, "The dataset's first file is still being loaded.", "Problem"}}},

    {.method = "POST",
	.pattern = "/api/datasets/{dataset}/uploads",
	.scope = API_WRITE,
	.handle = api_uploads_create,
	.id = "upload",
	.tag = "datasets",
	.summary = "Load a CSV file into a dataset, a new one or an existing one",
	.text = "The body is the file itself, plain or compressed by gzip or zstd, or a form with one file; the form's"
		" fields in front of the file are options as in the query. The answer comes when the file is stored"
		" for ever; workers do the rest. The same bytes again are the same job.",
	.parameters = upload_create,
	.takes = "text/csv multipart/form-data application/gzip application/zstd application/octet-stream",
	.answers = {{202, "The file is stored; its job.", "Job"},
	    {409, "An earlier job of the same bytes is paused, or has failed by its rejects: `Location`.", "Problem"},
	    {413, "The body is longer than what is taken here.", "Problem"}}},
    {.method = "GET",
	.pattern = "/api/datasets/{dataset}/search",
	.scope = API_READ,
	.handle = api_search,
	.id = "searchRecords",
	.tag = "search",
	.summary = "Find records",
	.text = "Each column is a parameter: `COL=VALUE`, and but for booleans `COL_min=VALUE` and `COL_max=VALUE`. "
		"The next"
		" page of NDJSON and CSV is told by the header `Link`, of pages up to 1 MB.",
	.parameters = search_page,
	.open = true,
	.gives = "application/json application/x-ndjson text/csv",
	.answers = {{200, "A page of records.", "SearchPage"},
	    {404, "There is no such dataset, or it is not indexed.", "Problem"},
	    {410, "The order by relevance that the cursor belongs to is gone: begin again.", "Problem"}}},
    {.method = "POST",
	.pattern = "/api/datasets/{dataset}/records",
	.scope = API_WRITE,
	.handle = api_records_create,
	.id = "createRecord",
	.tag = "records",
	.summary = "Make a record",
	.text = "A column that is not given has no value. " RECORD_EDIT,
	.takes = "application/json",
	.body = "Record",
	.answers = {{201, "It is made; `Location` says where it is, `ETag` which version.", "Record"}, NO_RECORD,
	    {409, "There is a record of this key already.", "Problem"}, RECORD_INVALID}},
    {.method = "GET",
	.pattern = "/api/datasets/{dataset}/records/{key}",
	.scope = API_READ,
	.handle = api_records_read,
	.id = "getRecord",
	.tag = "records",
	.summary = "A record",
	.text = RECORD_KEY,
	.parameters = record_read,
	.answers = {{200, "The record, as it is in the table; `ETag` is its version.", "Record"},
	    {304, "It is still the one that is known.", NULL}, NO_RECORD,
	    {503, "The dataset's first file is being loaded, and the record was not found in time.", "Problem"}}},
    {.method = "PUT",
	.pattern = "/api/datasets/{dataset}/records/{key}",
	.scope = API_WRITE,
	.handle = api_records_replace,
	.id = "replaceRecord",
	.tag = "records",
	.summary = "Replace a record, or make it",
	.text = "A column that is not given has no value then; the columns of the key need not be given. " RECORD_KEY
	    RECORD_EDIT,
	.parameters = record_replace,
	.takes = "application/json",
	.body = "Record",
	.answers = {{200, "It is replaced.", "Record"}, {201, "It is made.", "Record"}, RECORD_FAILED, RECORD_INVALID}},
    {.method = "PATCH",
	.pattern = "/api/datasets/{dataset}/records/{key}",
	.scope = API_WRITE,
	.handle = api_records_patch,
	.id = "patchRecord",
	.tag = "records",
	.summary = "Change columns of a record",
	.text = "A JSON Merge Patch (RFC 7396): columns that are given get this value, `null` is no value, others stay "
		"as they"
		" are, also if somebody else changes them at the same time. What changes nothing leaves the version as "
		"it is. " RECORD_KEY RECORD_EDIT,
	.parameters = record_edit,
	.takes = "application/merge-patch+json application/json",
	.body = "Record",
	.answers = {{200, "The record as it is now.", "Record"}, NO_RECORD, RECORD_FAILED, RECORD_INVALID}},
    {.method = "DELETE",
	.pattern = "/api/datasets/{dataset}/records/{key}",
	.scope = API_WRITE,
	.handle = api_records_delete,
	.id = "deleteRecord",
	.tag = "records",
	.summary = "Delete a record",
	.text = RECORD_KEY "A file that was uploaded before does not bring it back. " RECORD_EDIT,
	.parameters = record_edit,
	.answers = {{204, "It is gone.", NULL}, NO_RECORD, RECORD_FAILED}},

    {.method = "GET",
	.pattern = "/api/jobs",
	.scope = API_READ,
	.handle = api_jobs_list,
	.id = "listJobs",
	.tag = "jobs",
	.summary = "Jobs, the newest first",
	.parameters = job_list,
	.answers = {{200, "A page of jobs.", "JobPage"}}},
    {.method = "GET",
	.pattern = "/api/jobs/{id}",
	.scope = API_READ,
	.handle = api_jobs_show,
	.id = "getJob",
	.tag = "jobs",
	.summary = "A job, its progress and its books",
	.parameters = job_wait,
	.answers = {{200, "The job.", "Job"}, NO_JOB}},
    {.method = "GET",
	.pattern = "/api/jobs/{id}/chunks",
	.scope = API_READ,
	.handle = api_jobs_chunks,
	.id = "listChunks",
	.tag = "jobs",
	.summary = "The chunks of a job",
	.answers = {{200, "Its chunks, in the order of the file.", "ChunkList"}, NO_JOB}},
    {.method = "GET",
	.pattern = "/api/jobs/{id}/rejects",
	.scope = API_READ,
	.handle = api_jobs_rejects,
	.id = "getRejects",
	.tag = "jobs",
	.summary = "The rejected records of a job, as CSV",
	.text = "The columns of the file as far as the record has them, then `_line`, `_byte`, `_column`, `_code`,"
		" `_reason` and `_raw`, the record as it stands in the file.",
	.gives = "text/csv",
	.answers = {{200, "The rejects, with a header line.", NULL}, NO_JOB}},
    {.method = "POST",
	.pattern = "/api/jobs/{id}/cancel",
	.scope = API_WRITE,
	.handle = api_jobs_cancel,
	.id = "cancelJob",
	.tag = "jobs",
	.summary = "Stop a job for good",
	.text = "What is under way is rolled back, what is loaded stays. Once more is no error.",
	.answers = {{200, "The job, cancelled, and nobody works on it.", "Job"}, JOB_HELD, NO_JOB, JOB_CONFLICT}},
    {.method = "POST",
	.pattern = "/api/jobs/{id}/pause",
	.scope = API_WRITE,
	.handle = api_jobs_pause,
	.id = "pauseJob",
	.tag = "jobs",
	.summary = "Stop a job for a while",
	.answers = {{200, "The job, paused, and nobody works on it.", "Job"}, JOB_HELD, NO_JOB, JOB_CONFLICT}},
    {.method = "POST",
	.pattern = "/api/jobs/{id}/resume",
	.scope = API_WRITE,
	.handle = api_jobs_resume,
	.id = "resumeJob",
	.tag = "jobs",
	.summary = "Let a paused job go on",
	.answers = {{200, "The job.", "Job"}, NO_JOB, JOB_CONFLICT}},
    {.method = "POST",
	.pattern = "/api/jobs/{id}/retry",
	.scope = API_WRITE,
	.handle = api_jobs_retry,
	.id = "retryJob",
	.tag = "jobs",
	.summary = "Try again what has failed for good in the workers' hands",
	.answers = {{200, "The job.", "Job"}, NO_JOB, JOB_CONFLICT}},

    {.method = "GET",
	.pattern = "/api/throttle",
	.scope = API_READ,
	.handle = api_throttle_show,
	.id = "getThrottle",
	.tag = "throttle",
	.summary = "How fast all workers together may be",
	.answers = {{200, "The rates.", "Throttle"}}},
    {.method = "PUT",
	.pattern = "/api/throttle",
	.scope = API_ADMIN,
	.handle = api_throttle_set,
	.id = "setThrottle",
	.tag = "throttle",
	.summary = "Set how fast all workers together may be",
	.text = "A rate that is not given stays. Running workers follow within a second.",
	.takes = "application/json",
	.body = "Throttle",
	.answers = {{200, "The rates as they are now.", "Throttle"}, {422, "A rate is none.", "Problem"}}},

    {.method = "GET",
	.pattern = "/api/schema/",
	.scope = API_NONE,
	.handle = api_openapi,
	.id = "getSchema",
	.tag = "documentation",
	.summary = "This document",
	.text = "Who may read sees each dataset's columns in it.",
	.answers = {{200, "OpenAPI 3.1.", "Document"}}},
    {.method = "GET",
	.pattern = "/api/health/live",
	.scope = API_NONE,
	.handle = api_health_live,
	.id = "live",
	.tag = "health",
	.summary = "Does the API answer?",
	.answers = {{200, "It does.", "Live"}}},
    {.method = "GET",
	.pattern = "/api/health/ready",
	.scope = API_NONE,
	.handle = api_health_ready,
	.id = "ready",
	.tag = "health",
	.summary = "Do the services answer that it needs?",
	.text = "The answer may be a second old.",
	.answers = {{200, "They do.", "Ready"}, {503, "One does not.", "Ready"}}},
    {.method = "GET",
	.pattern = "/metrics",
	.scope = API_READ,
	.handle = api_metrics,
	.id = "metrics",
	.tag = "health",
	.summary = "Jobs, queues and requests for Prometheus",
	.text = "What it tells of requests is of this process; as plain CGI there is none that could tell.",
	.gives = "text/plain",
	.answers = {{200, "Text format, version 0.0.4.", NULL}}},

    {.method = "GET", .pattern = "/", .handle = api_pages_root, .id = "root", .hidden = true, .gives = ANYTHING},
    {.method = "GET",
	.pattern = "/api/docs/",
	.handle = api_pages_docs,
	.id = "docs",
	.hidden = true,
	.gives = ANYTHING},
    {.method = "GET",
	.pattern = "/api/docs/{file}",
	.handle = api_pages_docs,
	.id = "docsFile",
	.hidden = true,
	.gives = ANYTHING},
    {.method = "GET", .pattern = "/jobs", .handle = api_pages_jobs, .id = "jobs", .hidden = true, .gives = ANYTHING},
    {.method = "GET",
	.pattern = "/jobs/{file}",
	.handle = api_pages_jobs,
	.id = "jobsFile",
	.hidden = true,
	.gives = ANYTHING},
};

void
route_init(void)
{
	api_uploads_parameters(upload_create);
}

size_t
route_count(void)
{
	return sizeof routes / sizeof *routes;
}

const struct route *
route_at(size_t index)
{
	return &routes[index];
}
