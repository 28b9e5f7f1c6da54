/* Subscribers by the thousand: opens sockets from addresses 127.0.0.x, shakes hands, and reads all that comes.
 *
 * client PORT SOCKETS FIRST GREETING UNIT SMALL BLOBS SECOND
 *   FIRST     number of the first socket, which decides its source address and its handshake
 *   GREETING  websocket messages that a server sends by itself before a socket counts as subscribed
 *   UNIT      0, or the bytes of a message of a protocol that puts several into one websocket frame
 *   SMALL     so many of the sockets get a small receive buffer, can be muted, and are in no latency
 *   BLOBS     file of handshakes, each ended by a zero byte; SECOND: file sent after the handshake's answer
 * It prints "open" when all are subscribed. Then it obeys lines on stdin, and answers in lines of JSON:
 *   paced T0 EVERY ROUNDS   arrivals from T0 on, in rounds (ns of CLOCK_MONOTONIC, which processes share)
 *   flood, stop             "round" each time every socket has had one message more
 *   mute, unmute, count     stop reading the small ones; read them again; what there is
 * It refuses to understand payloads, but for counting those that begin like a snapshot of the feed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PER_ADDRESS = 10000, IN_FLIGHT = 200, PATIENCE_S = 120, SMALL_BYTES = 32768, CONTROL = 125 };
enum phase { UNUSED, HEAD, FRAMES, CLOSED };
static const char SNAPSHOT[] = "{\"type\":\"snapshot\"";

struct subscriber {
    int fd;
    enum phase phase;
    bool ready;
    char status[13];         /* "HTTP/1.1 101" */
    uint32_t head, ended;    /* bytes of the answer's head; how much of its blank line was seen */
    unsigned char header[10]; /* of the frame being read */
    uint32_t header_bytes, kept_bytes;
    uint64_t left, payload, units; /* bytes to come of the frame, of it in all, not yet counted as messages */
    unsigned char kept[CONTROL]; /* the payload's beginning: pings are answered with it */
    uint64_t messages, base;
    uint32_t snapshots;
};

static struct subscriber *all;
static int many, greeting, small, first, poller;
static uint64_t unit;
static uint16_t port;
static int opened, subscribed, closed;
static char *blobs, *second;
static char **handshakes;
static size_t handshake_count, second_bytes;
static bool muted;
static unsigned char buffer[1 << 18];

static int64_t began, every, rounds; /* of the paced window; rounds is 0 outside one */
static int64_t *arrived;             /* [round][socket]: ns after its tick, 0 for nothing */
static uint64_t *round_messages, window_bytes;
static bool flooding;
static uint64_t target;
static int behind;

static int64_t now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static void die(const char *what) {
    printf("failed: %s (%s), %d of %d subscribed\n", what, strerror(errno), subscribed, many);
    exit(1);
}

static char *whole(const char *path, size_t *bytes) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    fseek(file, 0, SEEK_END);
    *bytes = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*bytes + 1);
    if (!text || fread(text, 1, *bytes, file) != *bytes) die(path);
    text[*bytes] = 0;
    fclose(file);
    return text;
}

static void split(size_t bytes) {
    for (size_t at = 0; at < bytes; at++) handshake_count += blobs[at] == 0;
    handshakes = calloc(handshake_count, sizeof *handshakes);
    char *next = blobs;
    for (size_t n = 0; n < handshake_count; n++, next += strlen(next) + 1) handshakes[n] = next;
}

static void watch(int n, bool reading) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)n};
    epoll_ctl(poller, reading ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, all[n].fd, &event);
}

static void put(struct subscriber *one, const void *bytes, size_t count) {
    if (send(one->fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)count && subscribed < many)
        die("send");
}

/* A connect on loopback is over at once, so it may block; the handshake's answer is awaited by epoll. */
static void open_next(void) {
    int n = opened++, yes = 1, small_bytes = SMALL_BYTES;
    struct subscriber *one = &all[n];
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(port)};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)((first + n) / PER_ADDRESS));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    one->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (one->fd < 0) die("socket");
    setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(one->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (n < small) setsockopt(one->fd, SOL_SOCKET, SO_RCVBUF, &small_bytes, sizeof small_bytes);
    if (bind(one->fd, (struct sockaddr *)&from, sizeof from)) die("bind");
    if (connect(one->fd, (struct sockaddr *)&to, sizeof to)) die("connect");
    const char *handshake = handshakes[(size_t)(first + n) % handshake_count];
    one->phase = HEAD;
    put(one, handshake, strlen(handshake));
    fcntl(one->fd, F_SETFL, O_NONBLOCK);
    watch(n, true);
}

static void settle(struct subscriber *one) {
    if (!one->ready && one->messages >= (uint64_t)greeting) {
        one->ready = true;
        if (++subscribed == many) puts("open");
    }
}

static void catch_up(void) { /* the flood's next round: how many sockets have not had it yet */
    while (flooding) {
        behind = 0;
        for (int n = 0; n < many; n++)
            behind += all[n].phase == FRAMES && all[n].messages - all[n].base < target;
        if (behind || closed == many) return;
        puts("round");
        target++;
    }
}

static void leave(int n) {
    struct subscriber *one = &all[n];
    if (subscribed < many) die("closed by the server before all were subscribed");
    watch(n, false);
    close(one->fd);
    one->phase = CLOSED;
    closed++;
    if (flooding) catch_up();
}

/* A socket's first message of the window is the first tick's, and so on, however late; one that would be before
 * its tick is a straggler, or one before it was lost: then it is the present tick's. */
static void note(uint64_t number, int n, int64_t at) {
    int64_t round = (int64_t)number - 1;
    if (round >= rounds || at < began + round * every) round = (at - began) / every;
    round_messages[round]++;
    arrived[round * many + n] = at - began - round * every;
}

static void message(int n, int64_t at) {
    struct subscriber *one = &all[n];
    one->messages++;
    if (one->kept_bytes >= sizeof SNAPSHOT - 1 && !memcmp(one->kept, SNAPSHOT, sizeof SNAPSHOT - 1))
        one->snapshots++;
    settle(one);
    if (rounds && at >= began && at < began + rounds * every && n >= small) note(one->messages - one->base, n, at);
    if (flooding && one->messages - one->base == target && --behind == 0) catch_up();
}

static void pong(struct subscriber *one) {
    unsigned char answer[6 + CONTROL] = {0x8A, (unsigned char)(0x80 | one->kept_bytes)};
    memcpy(answer + 6, one->kept, one->kept_bytes); /* masked with zeros */
    put(one, answer, 6 + one->kept_bytes);
}

static void finished(int n, int64_t at) {
    struct subscriber *one = &all[n];
    int opcode = one->header[0] & 15;
    if (opcode == 9) pong(one);
    if (opcode < 8 && one->ready && unit) {
        for (one->units += one->payload; one->units >= unit; one->units -= unit) message(n, at);
    } else if (opcode < 8 && one->header[0] & 0x80) {
        message(n, at);
    }
    one->header_bytes = one->kept_bytes = 0;
}

static uint32_t header_size(const struct subscriber *one) {
    if (one->header_bytes < 2) return 2;
    int length = one->header[1] & 127;
    return length == 126 ? 4 : length == 127 ? 10 : 2;
}

static void measure_payload(struct subscriber *one) {
    uint32_t size = header_size(one);
    one->left = size == 2 ? one->header[1] & 127u : 0;
    for (uint32_t at = 2; at < size; at++) one->left = one->left << 8 | one->header[at];
    one->payload = one->left;
}

/* RFC 6455, 5.2, of what a server sends: never masked. */
static void read_frames(int n, const unsigned char *data, size_t bytes, int64_t at) {
    struct subscriber *one = &all[n];
    while (bytes) {
        if (one->header_bytes < header_size(one)) {
            one->header[one->header_bytes++] = *data++;
            bytes--;
            if (one->header_bytes < header_size(one)) continue;
            measure_payload(one);
        } else {
            size_t taken = bytes < one->left ? bytes : one->left;
            uint32_t room = CONTROL - one->kept_bytes, kept = room < taken ? room : (uint32_t)taken;
            memcpy(one->kept + one->kept_bytes, data, kept);
            one->kept_bytes += kept;
            one->left -= taken;
            data += taken;
            bytes -= taken;
        }
        if (!one->left) finished(n, at);
    }
}

/* The answer to the handshake: "101", then a blank line. How many bytes of `data` belong to it. */
static size_t read_head(struct subscriber *one, const unsigned char *data, size_t bytes) {
    static const char blank[] = "\r\n\r\n";
    for (size_t at = 0; at < bytes; at++) {
        if (one->head < 12) one->status[one->head] = (char)data[at];
        one->head++;
        one->ended = data[at] == (unsigned char)blank[one->ended] ? one->ended + 1 : data[at] == '\r';
        if (one->ended < 4) continue;
        if (memcmp(one->status + 9, "101", 3)) die(one->status);
        one->phase = FRAMES;
        if (second_bytes) put(one, second, second_bytes);
        settle(one);
        return at + 1;
    }
    return bytes;
}

static void readable(int n) {
    struct subscriber *one = &all[n];
    ssize_t got;
    do {
        got = recv(one->fd, buffer, sizeof buffer, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) {
            leave(n);
            return;
        }
        int64_t at = now();
        size_t head = one->phase == HEAD ? read_head(one, buffer, (size_t)got) : 0;
        if (rounds && n >= small) window_bytes += (uint64_t)got;
        read_frames(n, buffer + head, (size_t)got - head, at);
    } while (got == sizeof buffer);
}

static int ascending(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* [messages, bare sockets, p50, p99, max] of each round, in ns. */
static void report(void) {
    int64_t *sorted = malloc((size_t)many * sizeof *sorted);
    printf("{\"size\":%" PRIu64 ",\"closed\":%d,\"rounds\":[", window_bytes, closed);
    for (int64_t round = 0; round < rounds; round++) {
        int count = 0;
        for (int n = small; n < many; n++)
            if (arrived[round * many + n]) sorted[count++] = arrived[round * many + n];
        qsort(sorted, (size_t)count, sizeof *sorted, ascending);
        int64_t p50 = count ? sorted[count / 2] : 0, p99 = count ? sorted[(int64_t)count * 99 / 100] : 0;
        printf("%s[%" PRIu64 ",%d,%" PRId64 ",%" PRId64 ",%" PRId64 "]", round ? "," : "", round_messages[round],
               many - small - count, p50, p99, count ? sorted[count - 1] : 0);
    }
    puts("]}");
    free(sorted);
    free(arrived);
    free(round_messages);
    rounds = 0;
}

static void count_all(void) {
    uint64_t messages = 0, snapshots = 0;
    int without = 0, one = 0;
    for (int n = 0; n < many; n++) messages += all[n].messages - all[n].base;
    for (int n = 0; n < small; n++) {
        snapshots += all[n].snapshots;
        without += all[n].snapshots == 0;
        one += all[n].snapshots == 1;
    }
    printf("{\"messages\":%" PRIu64 ",\"closed\":%d,\"small\":{\"snapshots\":%" PRIu64
           ",\"without\":%d,\"one\":%d}}\n",
           messages, closed, snapshots, without, one);
}

static void rebase(void) {
    for (int n = 0; n < many; n++) all[n].base = all[n].messages;
}

static void mute(bool on) {
    for (int n = 0; n < small; n++) {
        all[n].snapshots = 0;
        if (all[n].phase == FRAMES && on != muted) watch(n, !on);
    }
    muted = on;
}

static void obey(const char *line) {
    if (sscanf(line, "paced %" SCNd64 " %" SCNd64 " %" SCNd64, &began, &every, &rounds) == 3) {
        arrived = calloc((size_t)(rounds * many), sizeof *arrived);
        round_messages = calloc((size_t)rounds, sizeof *round_messages);
        window_bytes = 0;
        rebase();
        if (!arrived || !round_messages) die("memory");
    } else if (!strncmp(line, "flood", 5)) {
        rebase();
        flooding = true;
        target = 1;
        catch_up();
    } else if (!strncmp(line, "stop", 4)) {
        flooding = false;
        count_all();
    } else if (!strncmp(line, "count", 5)) {
        count_all();
    } else if (!strncmp(line, "mute", 4) || !strncmp(line, "unmute", 6)) {
        mute(*line == 'm');
    }
}

static void commands(void) {
    static char line[256];
    static size_t held;
    ssize_t got = read(0, line + held, sizeof line - 1 - held);
    if (got <= 0) exit(0); /* whoever started us is gone */
    held += (size_t)got;
    line[held] = 0;
    for (char *end; (end = memchr(line, '\n', held)); memmove(line, end + 1, held + 1)) {
        *end = 0;
        held -= (size_t)(end + 1 - line);
        obey(line);
    }
}

static int patience(int64_t opening) {
    if (subscribed < many) {
        if (now() - opening > (int64_t)PATIENCE_S * 1000000000) die("not all were subscribed in time");
        return 1000;
    }
    if (!rounds) return -1;
    int64_t left = began + rounds * every - now();
    return left < 0 ? 0 : (int)(left / 1000000) + 1;
}

int main(int argc, char **argv) {
    if (argc != 9) return 2;
    size_t bytes;
    port = (uint16_t)atoi(argv[1]), many = atoi(argv[2]), first = atoi(argv[3]);
    greeting = atoi(argv[4]), unit = (uint64_t)atoll(argv[5]), small = atoi(argv[6]);
    blobs = whole(argv[7], &bytes), second = whole(argv[8], &second_bytes);
    split(bytes);
    setvbuf(stdout, NULL, _IOLBF, 0);
    poller = epoll_create1(EPOLL_CLOEXEC);
    all = calloc((size_t)many, sizeof *all);
    if (!all || poller < 0 || !handshake_count) die("nothing to do");
    struct epoll_event events[512], input = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
    epoll_ctl(poller, EPOLL_CTL_ADD, 0, &input);
    for (int64_t opening = now();;) {
        while (opened < many && opened - subscribed < IN_FLIGHT) open_next();
        int ready = epoll_wait(poller, events, 512, patience(opening));
        for (int at = 0; at < ready; at++) {
            if (events[at].data.u32 == UINT32_MAX) commands();
            else if (all[events[at].data.u32].phase != CLOSED) readable((int)events[at].data.u32);
        }
        if (rounds && now() >= began + rounds * every) report();
    }
}
