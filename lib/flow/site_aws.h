#ifndef FLOW_SITE_AWS_H
#define FLOW_SITE_AWS_H

#include "net/aws.h"

/*
 * Credentials, and where the service is whose own names for that are
 * `endpoints`, the first one that is set; texts stay valid for ever.
 */
struct aws site_aws(const char *const *endpoints);

#endif
