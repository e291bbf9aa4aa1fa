/* The worker of `make bench-peers` in C: `peers-c portalloc-c PORTS JOURNAL`. What it does is told in ../README.md, and is
 * the same in every language. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <portalloc.h>

enum { MAX_PORTS = 64 };

/* The workload's own pauses, in nanoseconds: a user's server binds some time after its port was chosen, and runs. */
static const long BEFORE_BIND_LEAST = 10000000, BEFORE_BIND_SPAN = 20000000, SERVING = 5000000;

static portalloc_lease_options options;
static unsigned dice;
static int journal;

static long long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void rest(long nanoseconds) {
    struct timespec time = {0, nanoseconds};
    nanosleep(&time, NULL);
}

static int serve(uint16_t port) {
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(server, (struct sockaddr *)&address, sizeof address) == 0 && listen(server, 128) == 0) return server;
    close(server);
    return -1;
}

static void note(const char *line) {
    if (write(journal, line, strlen(line)) != (ssize_t)strlen(line)) exit(1);
}

static void ports_of(const portalloc_lease *lease, char *written, size_t room) {
    size_t length = 0;
    for (int64_t i = 0; i < options.count; i++)
        length += (size_t)snprintf(written + length, room - length, "%s%u", i ? "," : "", portalloc_lease_port(lease, (size_t)i));
}

/* As users have it: a port is chosen, some time passes, the server binds it, serves and ends. */
static void one_round(void) {
    char ports[MAX_PORTS * 6 + 1], line[sizeof ports + 64];
    long gap = BEFORE_BIND_LEAST + (long)(rand_r(&dice) / (double)RAND_MAX * (double)BEFORE_BIND_SPAN);
    portalloc_lease *lease;
    long long start = now_ns();
    portalloc_result result = portalloc_lease_new(&options, &lease);
    long long took = now_ns() - start;
    if (result != PORTALLOC_RESULT_OK) {
        snprintf(line, sizeof line, "none %d %lld\n", (int)getpid(), took);
        note(line);
        rest(gap);
        return;
    }
    ports_of(lease, ports, sizeof ports);
    snprintf(line, sizeof line, "took %d %lld %s\n", (int)getpid(), took, ports);
    note(line);
    rest(gap);
    int servers[MAX_PORTS], failed = 0;
    for (int64_t i = 0; i < options.count; i++) failed += (servers[i] = serve(portalloc_lease_port(lease, (size_t)i))) < 0;
    snprintf(line, sizeof line, "bound %d %d\n", (int)getpid(), failed);
    note(line);
    rest(SERVING);
    for (int64_t i = 0; i < options.count; i++)
        if (servers[i] >= 0) close(servers[i]);
    snprintf(line, sizeof line, "gave %d %s\n", (int)getpid(), ports);
    note(line);
    portalloc_lease_free(lease);
}

static void paced(double seconds) {
    long long start = now_ns();
    while ((double)(now_ns() - start) < seconds * 1e9) one_round();
    puts("paced");
}

static void flat(double seconds) {
    long long start = now_ns(), allocated = 0, gave_up = 0, elapsed;
    while ((double)(elapsed = now_ns() - start) < seconds * 1e9) {
        portalloc_lease *lease;
        if (portalloc_lease_new(&options, &lease) == PORTALLOC_RESULT_OK) {
            allocated++;
            portalloc_lease_free(lease);
        } else {
            gave_up++;
        }
    }
    printf("flat %lld %lld %lld\n", allocated, gave_up, elapsed);
}

/* The most memory that this process ever had, in KiB; it has no children. */
static void memory(void) {
    char line[256];
    long own = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) sscanf(line, "VmHWM: %ld", &own);
    if (status != NULL) fclose(status);
    printf("memory %ld 0\n", own);
}

int main(int argc, char **argv) {
    char command[64];
    double seconds;
    if (argc != 4 || strcmp(argv[1], "portalloc-c") != 0) return 2;
    options = portalloc_lease_options_default();
    options.count = atoi(argv[2]);
    dice = (unsigned)getpid();
    journal = open(argv[3], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (journal < 0 || options.count > MAX_PORTS) return 2;
    setlinebuf(stdout);
    puts("ready");
    while (fgets(command, sizeof command, stdin) != NULL) {
        if (sscanf(command, "paced %lf", &seconds) == 1)
            paced(seconds);
        else if (sscanf(command, "flat %lf", &seconds) == 1)
            flat(seconds);
        else
            memory();
    }
    return 0;
}
