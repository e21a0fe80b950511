#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A picture on the terminal that stdout is, drawn over itself. It has the
 * terminal's other screen and no cursor; whatever ends the program (its own
 * end, a second signal, SIGQUIT, a crash), and while SIGTSTP has stopped it,
 * the terminal is as it was before. One at a time.
 */

/* false, and nothing done: stdout is no terminal. */
bool screen_open(void);
void screen_close(void);

/*
 * Show these lines (each ends with \n and leaves the last cell of its row free:
 * erasing behind a full one would take its last character) in one write, each over what stood there before, so that nothing flickers. Of more
 * than there is room for, the first `head` lines stay and those behind them go.
 */
void screen_draw(const char *lines, size_t head);

/* Until the time is over, or sooner: a signal that ends the program, the terminal got another size, we go on after a stop. */
void screen_wait(int64_t milliseconds);

#endif
