#ifndef CONTRACT_EXPECT_H
#define CONTRACT_EXPECT_H

#include <check.h>

#include "base/err.h"

/* The call must succeed; else its error is the failure's text. */
#define OK(call)                                                                                                       \
	do {                                                                                                           \
		struct err *err_ = &e;                                                                                 \
		err_->message[0] = '\0';                                                                               \
		ck_assert_msg((call) == 0, "%s: %s", #call, err_->message);                                            \
	} while (0)

/* The call must fail with this code. */
#define FAILS(expected, call)                                                                                          \
	do {                                                                                                           \
		e.code = ERR_NONE;                                                                                     \
		ck_assert_msg((call) == -1, "%s: no error", #call);                                                    \
		ck_assert_msg(e.code == (expected), "%s: %d: %s", #call, e.code, e.message);                           \
	} while (0)

#endif
