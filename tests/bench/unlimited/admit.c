/* In place of flow/desk.c's desk_admit (the linker's --wrap): no throttle is asked, nothing is looked up for it. */
#include "flow/desk.h"

int __wrap_desk_admit(struct desk *d, enum throttle_resource resource, int64_t job, int64_t number, struct err *e);

int
__wrap_desk_admit(struct desk *d, enum throttle_resource resource, int64_t job, int64_t number, struct err *e)
{
	(void)d;
	(void)resource;
	(void)job;
	(void)number;
	(void)e;
	return 0;
}
