/*
 * What the driver of SQS makes of answers that a real broker gives too seldom: a made one in a process of its own gives
 * them, one after the other, and tells what it was asked.
 */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "cases.h"
#include "expect.h"
#include "net/aws.h"
#include "queue/queue.h"

#define URL_ANSWER "200 {\"QueueUrl\":\"http://x/000000000000/q-load\"}"
#define MISSING "400 {\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"no such queue\"}"

static struct queue *queue;
static struct err e;
static pid_t broker;
static int told;
static char *url;

/* One request on a connection of its own: its action and its body are told in one line. */
static void
serve(int fd, int tell, const char *answer)
{
	char bytes[8192], line[8400];
	size_t length = 0;
	const char *body = NULL, *size, *target;
	int with = accept(fd, NULL, NULL);
	ssize_t n = 1;

	bytes[0] = '\0';
	while (n > 0 && (body == NULL || strlen(body) < strtoul(size, NULL, 10))) {
		n = read(with, bytes + length, sizeof bytes - 1 - length);
		length += n > 0 ? (size_t)n : 0;
		bytes[length] = '\0';
		body = strstr(bytes, "\r\n\r\n");
		size = strstr(bytes, "Content-Length: ");
		if (body == NULL || size == NULL)
			body = NULL;
		else
			body += 4, size += 16;
	}
	target = strstr(bytes, "AmazonSQS.");
	n = snprintf(line, sizeof line, "%.*s %s\n", target != NULL ? (int)strcspn(target + 10, "\r") : 0,
	    target != NULL ? target + 10 : "", body != NULL ? body : "");
	if (write(tell, line, (size_t)n) != n)
		_exit(1);
	n = snprintf(line, sizeof line, "HTTP/1.1 %.3s X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", answer,
	    strlen(answer + 4), answer + 4);
	if (write(with, line, (size_t)n) != n)
		_exit(1);
	close(with);
}

/* The broker gives these answers, "STATUS BODY"; then nobody is there. */
static void
answers(const char *const *list)
{
	static const struct aws aws = {.region = "eu-west-1"};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0), ends[2];

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	ck_assert_int_eq(pipe(ends), 0);
	broker = fork();
	if (broker == 0) {
		alarm(40);
		for (; *list != NULL; list++)
			serve(fd, ends[1], *list);
		_exit(0);
	}
	close(fd);
	close(ends[1]);
	told = ends[0];
	url = buf_format("sqs+http://127.0.0.1:%d/", ntohs(address.sin_port));
	queue = queue_open(&(struct queue_options){.url = url, .aws = &aws, .visibility = 1500, .prefix = "q-"}, &e);
	ck_assert_msg(queue != NULL, "%s", e.message);
}

/* All that it was asked. */
static void
asked(const char *expected)
{
	char bytes[8192];
	size_t length = 0;
	ssize_t n;

	while ((n = read(told, bytes + length, sizeof bytes - 1 - length)) > 0)
		length += (size_t)n;
	bytes[length] = '\0';
	ck_assert_str_eq(bytes, expected);
	ck_assert_int_eq(waitpid(broker, NULL, 0), broker);
	queue_close(queue);
	free(url);
}

START_TEST(a_missing_queue_is_made_once)
{
	struct queue_depth depth;

	answers(
	    (const char *const[]){MISSING, URL_ANSWER, "200 {\"Attributes\":{\"ApproximateNumberOfMessages\":\"3\"}}",
		"200 {\"Attributes\":{\"ApproximateNumberOfMessagesNotVisible\":\"4\"}}", NULL});
	OK(queue_depth(queue, QUEUE_LOAD, &depth, &e));
	ck_assert(depth.visible == 3 && depth.in_flight == 0);
	OK(queue_depth(queue, QUEUE_LOAD, &depth, &e));
	ck_assert(depth.visible == 0 && depth.in_flight == 4);
#define DEPTH                                                                                                          \
	"GetQueueAttributes "                                                                                          \
	"{\"AttributeNames\":[\"ApproximateNumberOfMessages\",\"ApproximateNumberOfMessagesNotVisible\"],"             \
	"\"QueueUrl\":\"http://x/000000000000/q-load\"}\n"
	asked("GetQueueUrl {\"QueueName\":\"q-load\"}\n"
	      "CreateQueue {\"QueueName\":\"q-load\",\"Attributes\":{\"MessageRetentionPeriod\":\"1209600\"}}\n" DEPTH
		  DEPTH);
}
END_TEST

START_TEST(a_queue_that_somebody_removed_is_made_again)
{
	struct queue_depth depth;

	answers((const char *const[]){URL_ANSWER, MISSING, MISSING, URL_ANSWER, "200 {}", NULL});
	OK(queue_depth(queue, QUEUE_LOAD, &depth, &e));
	asked("GetQueueUrl {\"QueueName\":\"q-load\"}\n" DEPTH "GetQueueUrl {\"QueueName\":\"q-load\"}\n"
	      "CreateQueue {\"QueueName\":\"q-load\",\"Attributes\":{\"MessageRetentionPeriod\":\"1209600\"}}\n" DEPTH);
}
END_TEST

START_TEST(only_what_failed_is_sent_again)
{
	struct message three[] = {{.job = 1, .chunk = 0}, {.job = 1, .chunk = 1}, {.job = 1, .chunk = 2}};

	answers((const char *const[]){URL_ANSWER,
	    "200 {\"Successful\":[{\"Id\":\"0\"},{\"Id\":\"2\"}],\"Failed\":[{\"Id\":\"1\",\"Code\":\"InternalError\","
	    "\"SenderFault\":false,\"Message\":\"busy\"}]}",
	    "503 busy", "400 {\"__type\":\"com.amazon.coral.service#ThrottlingException\"}",
	    "200 {\"Successful\":[{\"Id\":\"0\"}]}", NULL});
	OK(queue_send(queue, QUEUE_LOAD, three, 3, &e));
#define ENTRY(id, chunk) "{\"Id\":\"" id "\",\"MessageBody\":\"{\\\"job\\\":1,\\\"chunk\\\":" chunk "}\"}"
#define SENT(entries) "SendMessageBatch {\"Entries\":[" entries "],\"QueueUrl\":\"http://x/000000000000/q-load\"}\n"
	asked("GetQueueUrl {\"QueueName\":\"q-load\"}\n" SENT(ENTRY("0", "0") "," ENTRY("1", "1") "," ENTRY("2", "2"))
		SENT(ENTRY("0", "1")) SENT(ENTRY("0", "1")) SENT(ENTRY("0", "1")));
}
END_TEST

START_TEST(what_the_sender_did_wrong_is_not_tried_again)
{
	struct message one = {.job = 1, .chunk = 0};

	answers((const char *const[]){URL_ANSWER,
	    "200 "
	    "{\"Failed\":[{\"Id\":\"0\",\"Code\":\"InvalidMessageContents\",\"SenderFault\":true,\"Message\":\"m\"}]}",
	    NULL});
	FAILS(ERR_BUG, queue_send(queue, QUEUE_LOAD, &one, 1, &e));
	ck_assert_msg(strstr(e.message, "q-load: InvalidMessageContents: m") != NULL, "%s", e.message);
	asked("GetQueueUrl {\"QueueName\":\"q-load\"}\n" SENT(ENTRY("0", "0")));
}
END_TEST

START_TEST(an_unknown_receipt_is_lost_and_no_error)
{
	struct delivery two[] = {{.receipt = (char[]){"a"}}, {.receipt = (char[]){"b"}}};

	answers((const char *const[]){URL_ANSWER,
	    "200 {\"Successful\":[{\"Id\":\"1\"}],\"Failed\":[{\"Id\":\"0\",\"SenderFault\":true,"
	    "\"Code\":\"AWS.SimpleQueueService.MessageNotInflight\"}]}",
	    NULL});
	OK(queue_extend(queue, QUEUE_LOAD, two, 2, &e));
	ck_assert(two[0].lost && !two[1].lost);
	/* 1.5 s are two for SQS. */
	asked(
	    "GetQueueUrl {\"QueueName\":\"q-load\"}\n"
	    "ChangeMessageVisibilityBatch {\"Entries\":[{\"Id\":\"0\",\"ReceiptHandle\":\"a\",\"VisibilityTimeout\":2},"
	    "{\"Id\":\"1\",\"ReceiptHandle\":\"b\",\"VisibilityTimeout\":2}],"
	    "\"QueueUrl\":\"http://x/000000000000/q-load\"}\n");
}
END_TEST

START_TEST(refusals_are_told_apart)
{
	static const struct {
		const char *answer;
		enum err_code code;
	} cases[] = {
	    {"400 {\"__type\":\"com.amazonaws.sqs#AccessDeniedException\",\"message\":\"no\"}", ERR_PERMISSION},
	    {"403 {\"__type\":\"com.amazon.coral.service#InvalidSignatureException\"}", ERR_PERMISSION},
	    {"403 <html>", ERR_PERMISSION},
	    {"404 <html>not here", ERR_CONFIG},
	    {"200 <html>welcome", ERR_CONFIG},
	    {"200 {\"welcome\":true}", ERR_CONFIG},
	    {"301 elsewhere", ERR_CONFIG},
	    {"400 {\"__type\":\"com.amazonaws.sqs#InvalidAddress\",\"message\":\"no\"}", ERR_BUG},
	};
	struct queue_depth depth;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		answers((const char *const[]){cases[i].answer, NULL});
		ck_assert_int_eq(queue_depth(queue, QUEUE_LOAD, &depth, &e), -1);
		ck_assert_msg(e.code == cases[i].code, "%s: %d: %s", cases[i].answer, e.code, e.message);
		asked("GetQueueUrl {\"QueueName\":\"q-load\"}\n");
	}
}
END_TEST

START_TEST(wrong_urls_are_refused)
{
	static const char *const wrong[] = {
	    "sqs+ftp://h", "sqs://h", "sqs+http:", "sqs+http://key:secret@h/", "sqs+http://h/?x=1", "pg+http://h"};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ck_assert_msg(queue_open(&(struct queue_options){.url = wrong[i], .visibility = 1000}, &e) == NULL,
		    "%s", wrong[i]);
		ck_assert_int_eq(e.code, ERR_CONFIG);
		ck_assert_ptr_null(strstr(e.message, "secret"));
	}
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    a_missing_queue_is_made_once,
	    a_queue_that_somebody_removed_is_made_again,
	    only_what_failed_is_sent_again,
	    what_the_sender_did_wrong_is_not_tried_again,
	    an_unknown_receipt_is_lost_and_no_error,
	    refusals_are_told_apart,
	    wrong_urls_are_refused,
	};

	return cases_run("sqs", NULL, NULL, tests, sizeof tests / sizeof *tests);
}
