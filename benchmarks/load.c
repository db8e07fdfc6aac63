/* The load: keeps connections busy, checks every answer, and prints what it saw as one line of JSON.
 *
 *   load -p PORT -r REQUEST_FILE [-c CONNECTIONS] [-n DEPTH] [-f FLOODS] [-w WARM_SECONDS] [-d SECONDS] [PID...]
 *
 * A connection sends DEPTH copies of the request in one write, waits for as many answers, and begins again.
 * A flood sends 200 KB of copies, again and again, as fast as the socket takes them, and reads every answer; its
 * answers are counted apart, so that what it does to the latency of the others can be seen.
 * An answer is framed by its Content-Length and must have a status of 2xx. A server may close between two answers.
 * Processor time of the PIDs is read where the measured seconds begin and end, so that it is theirs alone. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN_BYTES = 1 << 17, FLOOD_BYTES = 200 * 1000, EVENTS = 512, SLOWEST_US = 1 << 22 };

typedef struct {
    int fd, flood, answered, useful, wants_to_write;
    size_t in_bytes, sent;
    int64_t sent_at;
    char in[IN_BYTES];
} connection;

static char *batch, *flood_batch, known_head[16384];
static size_t batch_bytes, flood_bytes, known_head_bytes, known_answer_bytes;
static int port, depth = 1, epoll, measuring;
static uint64_t answers, flood_answers, reconnects;
static uint32_t *latencies; /* how many answers took that many microseconds */
static int64_t last_answer;

static void fail(const char *what) {
    fprintf(stderr, "load: %s\n", what);
    exit(1);
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void watch(connection *c, int operation) {
    struct epoll_event event = {.events = EPOLLIN | (c->wants_to_write ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(epoll, operation, c->fd, &event);
}

static void send_batch(connection *c) {
    size_t total = c->flood ? flood_bytes : batch_bytes;
    if (c->sent == 0) c->sent_at = now_ns();
    ssize_t n = send(c->fd, (c->flood ? flood_batch : batch) + c->sent, total - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) c->sent += n;
    if (c->flood && c->sent == total) c->sent = 0;
    int more = c->flood || c->sent < total;
    if (more != c->wants_to_write) c->wants_to_write = more, watch(c, EPOLL_CTL_MOD);
}

static void open_connection(connection *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address)) fail("cannot connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->in_bytes = c->sent = c->answered = c->useful = c->wants_to_write = 0;
    watch(c, EPOLL_CTL_ADD);
    send_batch(c);
}

/* The length of the answer at `at`, or 0 while it is not whole. A head that equals the last one is not read again. */
static size_t answer_length(const char *at, size_t bytes) {
    size_t total = known_answer_bytes;
    if (!known_head_bytes || bytes < known_head_bytes || memcmp(at, known_head, known_head_bytes)) {
        const char *end = memmem(at, bytes, "\r\n\r\n", 4);
        if (!end) return 0;
        size_t head = end + 4 - at;
        if (head >= sizeof known_head || strncmp(at, "HTTP/1.1 2", 10)) fprintf(stderr, "%.*s", (int)head, at), fail("not an answer of 2xx");
        memcpy(known_head, at, head);
        known_head[head] = 0;
        const char *field = strcasestr(known_head, "\r\ncontent-length:");
        if (!field) fail("an answer without Content-Length");
        known_head_bytes = head;
        total = known_answer_bytes = head + strtoul(field + 17, NULL, 10);
        if (total > IN_BYTES) fail("an answer too large for this program");
    }
    return bytes >= total ? total : 0;
}

static void take_answer(connection *c, int64_t now) {
    last_answer = now;
    c->answered++;
    c->useful = 1;
    if (c->flood) { flood_answers += measuring; return; }
    if (!measuring) return;
    int64_t us = (now - c->sent_at) / 1000;
    latencies[us < SLOWEST_US ? us : SLOWEST_US - 1]++;
    answers++;
}

static void receive(connection *c) {
    ssize_t n = recv(c->fd, c->in + c->in_bytes, IN_BYTES - c->in_bytes, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
        if (c->in_bytes) fail("closed within an answer");
        if (!c->useful) fail("closed before the first answer");
        close(c->fd);
        reconnects++;
        open_connection(c);
        return;
    }
    c->in_bytes += n;
    int64_t now = now_ns();
    size_t at = 0, length;
    while (at < c->in_bytes && (length = answer_length(c->in + at, c->in_bytes - at))) at += length, take_answer(c, now);
    memmove(c->in, c->in + at, c->in_bytes -= at);
    if (!c->flood && c->answered == depth) c->answered = 0, c->sent = 0, send_batch(c);
}

static void processor_ticks(int count, char **pids, unsigned long *user, unsigned long *sys) {
    *user = *sys = 0;
    for (int i = 0; i < count; i++) {
        char path[64], text[1024];
        unsigned long u, s;
        snprintf(path, sizeof path, "/proc/%s/stat", pids[i]);
        FILE *file = fopen(path, "r");
        if (!file) fail("a measured process has ended");
        text[fread(text, 1, sizeof text - 1, file)] = 0;
        fclose(file);
        /* The name in parentheses may hold anything, so count from its end: state is the 1st, utime the 12th. */
        if (sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &u, &s) != 2) fail("cannot read /proc");
        *user += u, *sys += s;
    }
}

static size_t repeat(char **into, const char *request, size_t bytes, size_t times) {
    *into = malloc(bytes * times);
    for (size_t i = 0; i < times; i++) memcpy(*into + i * bytes, request, bytes);
    return bytes * times;
}

static double percentile_us(double share) {
    uint64_t seen = 0;
    for (int us = 0; us < SLOWEST_US; us++)
        if ((seen += latencies[us]) >= share * answers && seen) return us;
    return 0;
}

int main(int argc, char **argv) {
    int connections = 1, floods = 0, option;
    double warm = 0.5, seconds = 2;
    char request[65536];
    size_t request_bytes = 0;
    while ((option = getopt(argc, argv, "p:r:c:n:f:w:d:")) != -1) {
        if (option == 'p') port = atoi(optarg);
        else if (option == 'c') connections = atoi(optarg);
        else if (option == 'n') depth = atoi(optarg);
        else if (option == 'f') floods = atoi(optarg);
        else if (option == 'w') warm = atof(optarg);
        else if (option == 'd') seconds = atof(optarg);
        else if (option == 'r') {
            FILE *file = fopen(optarg, "r");
            if (file) request_bytes = fread(request, 1, sizeof request, file), fclose(file);
        } else return 2;
    }
    if (!port || !request_bytes) fail("needs -p PORT and -r REQUEST_FILE");
    char **pids = argv + optind;
    int pid_count = argc - optind;
    batch_bytes = repeat(&batch, request, request_bytes, depth);
    flood_bytes = repeat(&flood_batch, request, request_bytes, FLOOD_BYTES / request_bytes);
    latencies = calloc(SLOWEST_US, sizeof *latencies);
    epoll = epoll_create1(0);
    connection *all = calloc(connections + floods, sizeof *all);
    for (int i = 0; i < connections + floods; i++) all[i].flood = i >= connections, open_connection(all + i);

    struct epoll_event events[EVENTS];
    unsigned long user = 0, sys = 0, user_end, sys_end;
    int64_t begin = now_ns() + warm * 1e9, now;
    last_answer = now_ns();
    for (;;) {
        /* Never asleep: to wake a client is work that the kernel charges to the server, more to one that is slower. */
        int ready = epoll_wait(epoll, events, EVENTS, 0);
        for (int i = 0; i < ready; i++) {
            connection *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) send_batch(c);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(c);
        }
        now = now_ns();
        if (now - last_answer > 10000000000LL) fail("no answer for 10 s");
        if (!measuring && now >= begin) processor_ticks(pid_count, pids, &user, &sys), begin = now, measuring = 1;
        if (measuring && now - begin >= seconds * 1e9) break;
    }
    processor_ticks(pid_count, pids, &user_end, &sys_end);
    double tick = 1.0 / sysconf(_SC_CLK_TCK);
    printf("{\"answers\": %lu, \"flood_answers\": %lu, \"reconnects\": %lu, \"seconds\": %.6f, \"user_seconds\": %.3f, \"sys_seconds\": %.3f, "
           "\"p50_us\": %.0f, \"p99_us\": %.0f, \"slowest_us\": %.0f}\n",
           answers, flood_answers, reconnects, (now - begin) / 1e9, (user_end - user) * tick, (sys_end - sys) * tick,
           percentile_us(0.50), percentile_us(0.99), percentile_us(1.0));
}
