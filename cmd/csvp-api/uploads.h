#ifndef API_UPLOADS_H
#define API_UPLOADS_H

#include "base/err.h"
#include "flow/upload_options.h"

struct call;
struct route_parameter;

/* A handler: see route.h. */
int api_uploads_create(struct call *c, struct err *e);

/* Fill in its UPLOADS_PARAMETERS parameters: the options of csvp-upload but for the dataset, the file's name, the idempotency key, and the end. */
#define UPLOADS_PARAMETERS (UPLOAD_OPTIONS_COUNT + 2)
void api_uploads_parameters(struct route_parameter *parameters);

#endif
