#include "route.h"

#include "datasets.h"
#include "health.h"
#include "jobs.h"
#include "metrics.h"
#include "openapi.h"
#include "pages.h"
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
	.text = "What the page before gave as `next`."},
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

#define NO_JOB                                                                                                         \
	{                                                                                                              \
		404, "There is no such job.", "Problem"                                                                \
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
	.text = "What is under way is rolled back, what is loaded stays.",
	.answers = {{200, "The job, cancelled.", "Job"}, NO_JOB, JOB_CONFLICT}},
    {.method = "POST",
	.pattern = "/api/jobs/{id}/pause",
	.scope = API_WRITE,
	.handle = api_jobs_pause,
	.id = "pauseJob",
	.tag = "jobs",
	.summary = "Stop a job for a while",
	.answers = {{200, "The job, paused.", "Job"}, NO_JOB, JOB_CONFLICT}},
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
