/* The kernel's price: the least a server on one core can do and still answer.
 *
 *   floor PORT ANSWER_FILE REQUEST_BYTES
 *
 * One epoll, one read and one write a turn. Nothing is parsed: every REQUEST_BYTES that come are taken for one
 * request, and each is answered with the same bytes. What it takes of processor time is system calls, so no server
 * on sockets takes less, in any language; the others are measured in multiples of it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 16384, DESCRIPTORS = 4096, EVENTS = 512 };

int main(int argc, char **argv) {
    static char answers[1 << 20], in[65536];
    static size_t unanswered[DESCRIPTORS]; /* bytes of a request that has not come whole, by descriptor */
    if (argc != 4) return 2;
    size_t request_bytes = strtoul(argv[3], NULL, 10);

    int file = open(argv[2], O_RDONLY);
    ssize_t answer_bytes = read(file, answers, BATCH);
    if (file < 0 || answer_bytes <= 0 || !request_bytes) return 2;
    size_t copies = sizeof answers / answer_bytes;
    for (size_t i = 1; i < copies; i++) memcpy(answers + i * answer_bytes, answers, answer_bytes);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) return perror("floor"), 1;

    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (client < 0 || client >= DESCRIPTORS) { close(client); continue; }
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                unanswered[client] = 0;
                event.data.fd = client;
                epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event);
                continue;
            }
            ssize_t got = read(fd, in, sizeof in);
            if (got <= 0) { close(fd); continue; }
            size_t bytes = unanswered[fd] + got, requests = bytes / request_bytes;
            unanswered[fd] = bytes % request_bytes;
            if (requests > copies) requests = copies;
            if (requests && write(fd, answers, requests * answer_bytes) < 0) close(fd);
        }
    }
}
