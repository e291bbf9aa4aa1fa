/* A server on a port that nobody else is given, and a client of it. */
#include <portalloc.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int failed(void) {
    fprintf(stderr, "%s; %s\n", portalloc_last_error_message(), portalloc_last_error_remedy());
    return 1;
}

int main(void) {
    portalloc_lease *lease;
    if (portalloc_lease_new(NULL, &lease) != PORTALLOC_RESULT_OK) {
        return failed();
    }
    uint16_t port = portalloc_lease_port(lease, 0);

    /* A TCP socket that listens on 127.0.0.1. Binding one yourself is as good. */
    int32_t server;
    if (portalloc_lease_socket(lease, 0, NULL, &server) != PORTALLOC_RESULT_OK) {
        return failed();
    }

    int client = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(client, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("connect");
        return 1;
    }
    int connection = accept(server, NULL, NULL);
    char answer[6] = "";
    if (write(connection, "hello", 5) != 5 || read(client, answer, 5) != 5) {
        perror("hello");
        return 1;
    }
    printf("%s on port %u\n", answer, (unsigned)port);

    close(connection);
    close(client);
    close(server);
    portalloc_lease_free(lease);
    return 0;
}
