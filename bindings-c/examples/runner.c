/* Tests in C without a framework: each has an environment of its own, made before it and freed after it. */
#include <portalloc.h>

#include <stdio.h>
#include <unistd.h>

static int failures;

#define EXPECT(condition)                                                       \
    do {                                                                        \
        if (!(condition)) {                                                     \
            printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition);            \
            failures++;                                                         \
        }                                                                       \
    } while (0)

static void has_ports(const portalloc_environment *environment) {
    uint16_t ports[2];
    EXPECT(portalloc_environment_ports(environment, ports, 2) == 2);
    EXPECT(portalloc_environment_port(environment, "web") == ports[0]);
    EXPECT(portalloc_environment_port(environment, "db") == ports[1]);
}

static void has_a_temp_dir(const portalloc_environment *environment) {
    EXPECT(access(portalloc_environment_temp_dir(environment), W_OK) == 0);
}

static const struct {
    const char *name;
    void (*run)(const portalloc_environment *environment);
} tests[] = {
    {"has ports", has_ports},
    {"has a temp dir", has_a_temp_dir},
};

int main(void) {
    const char *names[] = {"web", "db"};
    portalloc_environment_options options = portalloc_environment_options_default();
    options.names = names;
    options.names_count = 2;

    size_t count = sizeof tests / sizeof tests[0];
    int failed = 0;
    printf("1..%zu\n", count);
    for (size_t index = 0; index < count; index++) {
        portalloc_environment *environment;
        failures = 0;
        if (portalloc_environment_new(&options, &environment) == PORTALLOC_RESULT_OK) {
            tests[index].run(environment);
            portalloc_environment_free(environment);
        } else {
            printf("# %s\n", portalloc_last_error_message());
            failures++;
        }
        printf("%sok %zu - %s\n", failures == 0 ? "" : "not ", index + 1, tests[index].name);
        failed += failures > 0;
    }
    return failed > 0;
}
