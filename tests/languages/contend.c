/* The contender in C: see README.md. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <portalloc.h>

enum { MOST = 64 };

static int serve(uint16_t port) {
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(server, (struct sockaddr *)&address, sizeof address) != 0 || listen(server, 8) != 0) {
        perror("bind");
        exit(1);
    }
    return server;
}

static void note(int journal, const char *what, unsigned base, unsigned count) {
    char line[64];
    int length = snprintf(line, sizeof line, "%s %d %u %u\n", what, (int)getpid(), base, count);
    if (write(journal, line, (size_t)length) != length) exit(1);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int journal = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    int times = atoi(argv[2]);
    size_t count = (size_t)atoi(argv[3]);
    if (journal < 0 || count > MOST || getchar() == EOF) return 2;
    portalloc_lease_options options = portalloc_lease_options_default();
    options.count = count;
    options.timeout_ms = 60000;
    for (int served = 0; served < times; served++) {
        portalloc_lease *lease;
        if (portalloc_lease_new(&options, &lease) != PORTALLOC_RESULT_OK) {
            fprintf(stderr, "%s\n", portalloc_last_error_message());
            return 1;
        }
        int servers[MOST];
        for (size_t i = 0; i < count; i++) servers[i] = serve(portalloc_lease_port(lease, i));
        note(journal, "took", portalloc_lease_port(lease, 0), (unsigned)count);
        for (size_t i = 0; i < count; i++) close(servers[i]);
        note(journal, "gave", portalloc_lease_port(lease, 0), (unsigned)count);
        portalloc_lease_free(lease);
    }
    printf("%d\n", times);
    return 0;
}
