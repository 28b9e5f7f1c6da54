/* The least that a delivery costs: one pre-built frame, sent with a bare send() to every subscriber in a loop.
 *
 * floor PAYLOAD prints {"port": …}, answers every request with the same 101 (the clients' key is always
 * the same), and sends the frame to all each time it reads a "t" on stdin. It refuses everything else:
 * what it is sent it throws away.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FILES = 20000, LISTENER = FILES, COMMANDS };
/* For the key dGhlIHNhbXBsZSBub25jZQ== (RFC 6455, 1.3). */
static const char ANSWER[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static unsigned char frame[1 << 16];
static size_t frame_bytes;
static int subscribers[FILES], many, poller, place[FILES]; /* place: 1 + index in subscribers */

static void build(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) exit(2);
    size_t payload = fread(frame + 4, 1, sizeof frame - 4, file);
    fclose(file);
    frame[0] = 0x81;
    size_t header = payload < 126 ? 2 : 4;
    frame[1] = payload < 126 ? (unsigned char)payload : 126;
    if (header == 4) frame[2] = (unsigned char)(payload >> 8), frame[3] = (unsigned char)payload;
    else memmove(frame + 2, frame + 4, payload);
    frame_bytes = header + payload;
}

static void watch(int fd, uint32_t mark) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = mark};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

static void welcome(int listener) {
    int yes = 1, fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        watch(fd, (uint32_t)fd);
    }
}

static void leave(int fd) {
    if (place[fd]) {
        int moved = subscribers[--many];
        subscribers[place[fd] - 1] = moved;
        place[moved] = place[fd];
        place[fd] = 0;
    }
    close(fd);
}

static void heard(int fd) { /* the clients send their handshake in one piece */
    static char heap[65536];
    ssize_t got = recv(fd, heap, sizeof heap, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        leave(fd);
    } else if (got > 0 && !place[fd]) {
        subscribers[many++] = fd;
        place[fd] = many;
        send(fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL);
    }
}

static void deliver(void) {
    for (int n = 0; n < many; n++) send(subscribers[n], frame, frame_bytes, MSG_NOSIGNAL);
}

static void obey(void) {
    char asked[64];
    ssize_t got = read(0, asked, sizeof asked);
    if (got <= 0) exit(0); /* whoever started us is gone */
    for (ssize_t at = 0; at < got; at++)
        if (asked[at] == 't') deliver();
}

static int listening(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 4096)) exit(2);
    getsockname(fd, (struct sockaddr *)&at, &size);
    printf("{\"port\": %d}\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    build(argv[1]);
    poller = epoll_create1(EPOLL_CLOEXEC);
    int listener = listening();
    watch(listener, LISTENER);
    watch(0, COMMANDS);
    struct epoll_event events[512];
    for (;;) {
        int ready = epoll_wait(poller, events, 512, -1);
        for (int n = 0; n < ready; n++) {
            uint32_t mark = events[n].data.u32;
            if (mark == LISTENER) welcome(listener);
            else if (mark == COMMANDS) obey();
            else heard((int)mark);
        }
    }
}
