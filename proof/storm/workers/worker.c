/* The worker in C, and its nursery: see ../README.md. */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <portalloc.h>

enum {
    PORTS = 5, /* of one lease, at most */
    MAX_HELD = 5,  /* leases, and environments, or the pool would soon be full */
    LINE = 64
};

typedef struct {
    portalloc_lease *lease;
    int servers[PORTS];
} served_lease;

static char serial[32];
static uint64_t state;
static int journal;
static const char *tolerated;
static int bind_errno;
static served_lease served[MAX_HELD];
static portalloc_environment *held[MAX_HELD], *kept[MAX_HELD];
static size_t served_count, held_count, kept_count;
static bool has_child;

static size_t below(size_t limit) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (size_t)(state * 0x2545F4914F6CDD1DU >> 33) % limit;
}

static void note(const char *verb, const char *holder, const char *rest) {
    char text[LINE + 1], line[LINE + 1];
    snprintf(text, sizeof text, "%s %s %s", verb, holder, rest);
    snprintf(line, sizeof line, "%-63.63s\n", text);
    if (write(journal, line, LINE) != LINE) exit(1);
}

static void note_ports(const char *verb, const char *holder, unsigned base, size_t count) {
    char rest[32];
    snprintf(rest, sizeof rest, "%u %zu", base, count);
    note(verb, holder, rest);
}

static void did(const char *what) { note("did", serial, what); }

static void pause_for(int microseconds) {
    struct timespec time = {.tv_sec = 0, .tv_nsec = microseconds * 1000L};
    ppoll(NULL, 0, &time, NULL);
}

/* Whether the call succeeded. Whatever may not fail ends the worker. */
static bool done(portalloc_result result) {
    if (result == PORTALLOC_RESULT_OK) return true;
    const char *code = portalloc_error_code(result);
    if (result != PORTALLOC_RESULT_POOL_EXHAUSTED && strstr(tolerated, code) == NULL) {
        fprintf(stderr, "%s: %s: %s\n", serial, code, portalloc_last_error_message());
        exit(1);
    }
    did(code);
    return false;
}

static int serve(uint16_t port) {
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (server >= 0 && setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(server, (struct sockaddr *)&address, sizeof address) == 0 && listen(server, 8) == 0)
        return server;
    if (errno != bind_errno) {
        fprintf(stderr, "%s: cannot bind %d: %s\n", serial, port, strerror(errno));
        exit(1);
    }
    if (server >= 0) close(server);
    return -1;
}

static void release(void) {
    if (served_count == 0 || has_child) return;
    size_t index = below(served_count);
    served_lease one = served[index];
    size_t count = portalloc_lease_count(one.lease);
    note_ports("gave", serial, portalloc_lease_port(one.lease, 0), count);
    for (size_t i = 0; i < count; i++)
        if (one.servers[i] >= 0) close(one.servers[i]);
    portalloc_lease_free(one.lease);
    served[index] = served[--served_count];
    did("release");
}

static bool lease(size_t count, bool guard) {
    if (served_count == MAX_HELD) return release(), true;
    portalloc_lease_options options = portalloc_lease_options_default();
    served_lease *one = &served[served_count];
    options.count = count;
    options.guard = guard;
    if (!done(portalloc_lease_new(&options, &one->lease))) return false;
    if (guard && !done(portalloc_lease_share_guard(one->lease))) return portalloc_lease_free(one->lease), false;
    for (size_t i = 0; i < count; i++) one->servers[i] = serve(portalloc_lease_port(one->lease, i));
    note_ports("took", serial, portalloc_lease_port(one->lease, 0), count);
    served_count++;
    did(guard ? "guarded" : "lease");
    return true;
}

/* The ports of an environment: the first, and how many. */
static size_t ports_of(const portalloc_environment *environment, uint16_t *base) {
    uint16_t ports[PORTS];
    size_t count = portalloc_environment_ports(environment, ports, PORTS);
    *base = ports[0];
    return count;
}

static const char *kept_holder(const portalloc_environment *environment) {
    static char holder[48];
    snprintf(holder, sizeof holder, "%s+%s", serial, portalloc_environment_id(environment));
    return holder;
}

static const char *holder_with_us(const portalloc_environment *environment) {
    static char holder[48];
    snprintf(holder, sizeof holder, "%s=%s", serial, portalloc_environment_id(environment));
    return portalloc_environment_is_kept(environment) ? holder : serial;
}

static bool end(portalloc_environment **environments, size_t *count, bool is_kept) {
    if (*count == 0 || (has_child && !is_kept)) return true;
    size_t index = below(*count);
    portalloc_environment *one = environments[index];
    uint16_t base;
    size_t ports = ports_of(one, &base);
    note_ports("gave", is_kept ? kept_holder(one) : holder_with_us(one), base, ports);
    environments[index] = environments[--*count];
    bool ok = done(portalloc_environment_cleanup(one));
    portalloc_environment_free(one);
    if (ok) did("cleanup");
    return ok;
}

typedef enum { HELD, OWNED, KEPT, STICKY } how;

static bool make(size_t count, how how) {
    static const char *const names[] = {"held", "owned", "kept", "sticky"};
    bool ends_with_us = how == HELD || how == OWNED;
    if (held_count + kept_count == MAX_HELD) return end(held, &held_count, false) && end(kept, &kept_count, true);
    portalloc_environment_options options = portalloc_environment_options_default();
    options.env_file_place = PORTALLOC_ENV_FILE_WORKTREE;
    portalloc_environment *made;
    uint16_t base;
    options.count = count;
    options.instance_id = serial;
    options.kept = how != HELD;
    options.owner_pid = how == OWNED ? (uint32_t)getpid() : 0;
    options.sticky = how == STICKY;
    options.ttl_ms = how == STICKY ? 24ULL * 3600 * 1000 : 0;
    if (!done(portalloc_environment_new(&options, &made))) return false;
    count = ports_of(made, &base);
    note_ports("took", ends_with_us ? holder_with_us(made) : kept_holder(made), base, count);
    if (ends_with_us) held[held_count++] = made;
    else kept[kept_count++] = made;
    did(names[how]);
    return true;
}

static bool make_short_lived(size_t count) {
    portalloc_environment_options options = portalloc_environment_options_default();
    options.env_file_place = PORTALLOC_ENV_FILE_WORKTREE;
    portalloc_environment *made;
    options.count = count;
    options.instance_id = serial;
    options.kept = true;
    options.ttl_ms = 1 + below(20);
    if (!done(portalloc_environment_new(&options, &made))) return false;
    portalloc_environment_free(made);
    did("ttl");
    return true;
}

static bool clean_stale(void) {
    size_t removed;
    if (!done(portalloc_cleanup_stale(&removed))) return false;
    if (removed > 0) did("removed");
    did("stale");
    return true;
}

static bool look(void) {
    char *listing;
    if (!done(portalloc_list(&listing))) return false;
    portalloc_string_free(listing);
    did("list");
    return true;
}

/* Leaves a child that holds a lease for a while after its parent is gone. */
static bool leave_child(size_t count) {
    portalloc_lease_options options = portalloc_lease_options_default();
    portalloc_lease *passed;
    if (has_child) return true;
    options.count = count;
    if (!done(portalloc_lease_new(&options, &passed))) return false;
    uint16_t base = portalloc_lease_port(passed, 0);
    note_ports("took", serial, base, count);
    has_child = true;
    pid_t parent = getpid();
    if (fork() == 0) {
        char holder[48];
        snprintf(holder, sizeof holder, "%s-child", serial);
        while (getppid() == parent) pause_for(500);
        note_ports("took", holder, base, count);
        pause_for((int)below(20000));
        note_ports("gave", holder, base, count);
        did("orphan");
        portalloc_lease_free(passed);
        _exit(0);
    }
    did("fork");
    return true;
}

static bool operation(void) {
    size_t count = 1 + below(PORTS), drawn = below(38);
    if (drawn < 6) return lease(count, false);
    if (drawn < 8) return lease(count, true);
    if (drawn < 17) return release(), true;
    if (drawn < 20) return make(count, HELD);
    if (drawn < 25) return end(held, &held_count, false);
    if (drawn < 27) return make(count, OWNED);
    if (drawn < 29) return make(count, KEPT);
    if (drawn < 30) return make(count, STICKY);
    if (drawn < 31) return make_short_lived(count);
    if (drawn < 35) return end(kept, &kept_count, true);
    if (drawn < 36) return clean_stale();
    if (drawn < 37) return look();
    return leave_child(count);
}

static void work(void) {
    pid_t storm = (pid_t)atoi(getenv("STORM_PID"));
    /* Whoever ends the storm ends its workers. */
    while (getppid() == storm) {
        if (operation()) continue;
        /* Room for others. */
        while (served_count > 0 && !has_child) release();
        while (kept_count > 0) end(kept, &kept_count, true);
    }
}

int main(void) {
    const char *path = getenv("STORM_JOURNAL");
    char line[80];
    tolerated = getenv("STORM_TOLERATED");
    const char *of_bind = getenv("STORM_BIND_ERRNO");
    if (of_bind != NULL) bind_errno = atoi(of_bind);
    journal = path == NULL ? -1 : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (journal < 0 || tolerated == NULL) return 2;
    while (fgets(line, sizeof line, stdin) != NULL) {
        unsigned long long seed;
        if (sscanf(line, "%31s %llu", serial, &seed) != 2) return 2;
        pid_t between = fork();
        if (between > 0) {
            waitpid(between, NULL, 0);
            continue;
        }
        between = getpid();
        if (fork() != 0) _exit(0);
        /* From then on it is the storm's own child. */
        while (getppid() == between) sched_yield();
        setpgid(0, 0);
        state = seed * 0x9E3779B97F4A7C15U | 1;
        dprintf(1, "%d\n", (int)getpid());
        work();
        return 0;
    }
    return 0;
}
