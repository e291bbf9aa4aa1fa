/* What clients that test share. A check that fails ends the program at once, saying where. */
#ifndef CHECK_H
#define CHECK_H

#include <portalloc.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Not exit(): a test of handlers of exit, or of a forked child, could not fail. */
#define CHECK(condition)                                                                                  \
    do {                                                                                                  \
        if (!(condition)) {                                                                               \
            fprintf(stderr, "%s:%d: %s; last error: %s\n", __FILE__, __LINE__, #condition,                \
                    portalloc_last_error_message());                                                      \
            _exit(1);                                                                                     \
        }                                                                                                 \
    } while (0)

#define OK(call) CHECK((call) == PORTALLOC_RESULT_OK)

/* That a call fails with this result, and that its message has this text in it. */
#define FAILS(call, result, text)                                      \
    do {                                                               \
        CHECK((call) == PORTALLOC_RESULT_##result);                    \
        CHECK(strstr(portalloc_last_error_message(), text) != NULL);   \
        CHECK(portalloc_last_error_remedy()[0] != '\0');               \
    } while (0)

/* That a forked child has ended as it should. */
static inline void ends_well(pid_t child) {
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A lease of these very ports. */
static inline portalloc_result lease_these(const uint16_t *ports, size_t count, portalloc_lease **out) {
    portalloc_lease_options options = portalloc_lease_options_default();
    options.exact = ports;
    options.exact_count = count;
    return portalloc_lease_new(&options, out);
}

/* Whether somebody could lease this very port. */
static inline bool could_be_leased(uint16_t port) {
    portalloc_lease *lease;
    portalloc_result result = lease_these(&port, 1, &lease);
    if (result == PORTALLOC_RESULT_OK) {
        portalloc_lease_free(lease);
        return true;
    }
    CHECK(result == PORTALLOC_RESULT_PORT_IN_USE);
    return false;
}

/* A socket bound to 127.0.0.1 and this port; -1 if it cannot be had. */
static inline int bound(int type, uint16_t port, bool reuse) {
    int number = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    int on = 1;
    CHECK(number >= 0);
    CHECK(!reuse || setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(number, (struct sockaddr *)&address, sizeof address) == 0) {
        return number;
    }
    close(number);
    return -1;
}

#endif
