#ifndef API_OPENAPI_OPERATION_H
#define API_OPENAPI_OPERATION_H

struct cJSON;
struct route;

/* A route as an Operation Object; freed by the caller. */
struct cJSON *openapi_operation(const struct route *route);

/* {"$ref":"#/components/schemas/NAME"} */
struct cJSON *openapi_operation_ref(const char *schema);

#endif
