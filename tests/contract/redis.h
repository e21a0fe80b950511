#ifndef CONTRACT_REDIS_H
#define CONTRACT_REDIS_H

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

/* A Redis of this test program's own, on a free port of this machine; it keeps nothing on disk. */
struct redis {
	pid_t pid;
	int port;
};

static struct sockaddr_in
redis_address(int port)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int
redis_free_port(void)
{
	struct sockaddr_in address = redis_address(0);
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		abort();
	close(fd);
	return ntohs(address.sin_port);
}

/* Send one inline command, and read the first bytes of its answer. False if nobody answers. */
static bool
redis_say(const struct redis *redis, const char *command, char *answer, size_t size)
{
	struct sockaddr_in address = redis_address(redis->port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char *line = buf_format("%s\r\n", command);
	ssize_t got = -1;

	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && write(fd, line, strlen(line)) > 0)
		got = read(fd, answer, size - 1);
	answer[got > 0 ? got : 0] = '\0';
	free(line);
	close(fd);
	return got > 0;
}

/* The command must be answered like this. */
static inline void
redis_expect(const struct redis *redis, const char *command, const char *expected)
{
	char answer[200];

	ck_assert(redis_say(redis, command, answer, sizeof answer));
	ck_assert_msg(strncmp(answer, expected, strlen(expected)) == 0, "%s: %s", command, answer);
}

/* Start it on its port (0: a new one). False if it is not installed. */
static bool
redis_start(struct redis *redis)
{
	char port[12], answer[200];
	int status;

	if (redis->port == 0)
		redis->port = redis_free_port();
	snprintf(port, sizeof port, "%d", redis->port);
	redis->pid = fork();
	if (redis->pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDOUT_FILENO);
		/* Debian's redis-tools have the server, too: it is what it is called as. */
		execlp("redis-check-rdb", "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
		    "--appendonly", "no", "--databases", "3", (char *)NULL);
		_exit(127);
	}
	while (!redis_say(redis, "PING", answer, sizeof answer) || strncmp(answer, "+PONG", 5) != 0) {
		if (waitpid(redis->pid, &status, WNOHANG) == redis->pid)
			return false;
		usleep(10000);
	}
	return true;
}

static void
redis_stop(struct redis *redis)
{
	if (redis->pid <= 0)
		return;
	kill(redis->pid, SIGCONT);
	kill(redis->pid, SIGKILL);
	waitpid(redis->pid, NULL, 0);
	redis->pid = 0;
}

#endif
