/* The contender in C: see README.md. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <portalloc.h>

enum { MOST_PORTS = 64, MOST_LEASES = 64, PATIENCE_MS = 60000, MIXED_PATIENCE_MS = 250 };

static const int64_t OFFSETS[] = {0, 2, 3, 5, 9, 10, 14, 20};

typedef struct {
    portalloc_lease *lease;
    int sockets[2 * MOST_PORTS], bound;
} held;

static int journal;
static held leases[MOST_LEASES];
static int holding;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* On all addresses, of both families where the machine has both. */
static int serve(uint16_t port, int kind) {
    int on = 1, off = 0;
    int server = socket(AF_INET6, kind | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 wide = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in narrow = {.sin_family = AF_INET, .sin_port = htons(port)};
    bool both = server >= 0;
    if (!both) server = socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    if (server < 0) fail("socket");
    if (both) setsockopt(server, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (kind == SOCK_STREAM) setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const void *address = both ? (const void *)&wide : (const void *)&narrow;
    if (bind(server, address, both ? sizeof wide : sizeof narrow) != 0) fail("bind");
    if (kind == SOCK_STREAM && listen(server, 8) != 0) fail("listen");
    return server;
}

static void note(const char *what, const portalloc_lease *lease) {
    char lines[32 * MOST_PORTS];
    uint16_t ports[MOST_PORTS];
    size_t count = portalloc_lease_ports(lease, ports, MOST_PORTS);
    int length = 0;
    for (size_t first = 0, next; first < count; first = next) {
        for (next = first + 1; next < count && ports[next] == ports[next - 1] + 1;) next++;
        length += snprintf(lines + length, sizeof lines - (size_t)length, "%s %d %u %zu\n", what, (int)getpid(),
                           ports[first], next - first);
    }
    if (write(journal, lines, (size_t)length) != length) fail("journal");
}

static void give_one(void) {
    int which = (int)(random() % holding);
    held given = leases[which];
    leases[which] = leases[--holding];
    while (given.bound > 0) close(given.sockets[--given.bound]);
    note("gave", given.lease);
    portalloc_lease_free(given.lease);
}

/* Whether it got one. */
static bool take(size_t count, bool bind_them) {
    bool mixed = count == 0;
    portalloc_lease_options options = portalloc_lease_options_default();
    options.count = mixed ? 1 + (size_t)random() % 8 : count;
    options.wait_ms = holding > 0 ? 0 : mixed ? MIXED_PATIENCE_MS : PATIENCE_MS;
    long shape = mixed ? random() % 16 : 16;
    options.scattered = shape == 0;
    if (shape >= 1 && shape <= 4) {
        options.offsets = OFFSETS;
        options.offsets_count = (size_t)options.count;
        options.count = 0;
    }
    held taken = {0};
    portalloc_result result = portalloc_lease_new(&options, &taken.lease);
    if (result == PORTALLOC_RESULT_POOL_EXHAUSTED || (mixed && result == PORTALLOC_RESULT_TIMEOUT)) return false;
    if (result != PORTALLOC_RESULT_OK) {
        fprintf(stderr, "%s\n", portalloc_last_error_message());
        exit(1);
    }
    for (size_t i = 0; bind_them && i < portalloc_lease_count(taken.lease); i++) {
        uint16_t port = portalloc_lease_port(taken.lease, i);
        taken.sockets[taken.bound++] = serve(port, SOCK_STREAM);
        taken.sockets[taken.bound++] = serve(port, SOCK_DGRAM);
    }
    note("took", taken.lease);
    leases[holding++] = taken;
    return true;
}

static void become(uid_t user) {
    if (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0) fail("user");
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    journal = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    int times = atoi(argv[2]), most = argc > 4 ? atoi(argv[4]) : 1, every = argc > 5 ? atoi(argv[5]) : 1;
    size_t count = (size_t)atoi(argv[3]);
    if (journal < 0 || count > MOST_PORTS || most < 1 || most > MOST_LEASES || every < 1) return 2;
    if (argc > 6) become((uid_t)atoi(argv[6]));
    srandom((unsigned)getpid());
    for (int next; (next = getchar()) != EOF;) {
        if (next != '\n') continue;
        int refused = 0;
        for (int served = 0; served < times;) {
            if (holding == most) give_one();
            if (take(count, served % every == 0)) {
                served++;
                continue;
            }
            refused++;
            if (holding > 0) give_one();
        }
        while (holding > 0) give_one();
        printf("%d %d\n", times, refused);
        fflush(stdout);
    }
    return 0;
}
