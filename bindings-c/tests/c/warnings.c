/* The handler of warnings. What is warned of here: a pool that overlaps the kernel's ephemeral range, so that part of it is
 * not used. */
#define _GNU_SOURCE

#include "check.h"

#include <pthread.h>

static unsigned ephemeral;

/* The nth such pool. */
static const char *pool(unsigned nth) {
    static _Thread_local char text[16];
    snprintf(text, sizeof text, "%u-%u", ephemeral - 10 - nth, ephemeral + 10);
    return text;
}

/* A call that succeeds and has something to warn of, unless this process was warned of it before. */
static void look_at(unsigned nth) {
    char *settings;
    OK(portalloc_settings(pool(nth), NULL, &settings));
    portalloc_string_free(settings);
}

struct told {
    int times;
    pthread_t thread;
    char message[1000];
};

static void note(const char *code, const char *message, void *data) {
    struct told *told = data;
    CHECK(strcmp(code, "pool") == 0 && message[0] != '\0');
    told->times++;
    told->thread = pthread_self();
    snprintf(told->message, sizeof told->message, "%s", message);
}

static void each_once(void) {
    struct told told = {0}, other = {0};
    /* Nobody listens yet. */
    look_at(0);
    portalloc_set_warning_handler(note, &told);
    CHECK(told.times == 1 && strstr(told.message, pool(0)) != NULL);
    look_at(0);
    CHECK(told.times == 1);
    look_at(1);
    CHECK(told.times == 2 && strstr(told.message, pool(1)) != NULL);

    portalloc_set_warning_handler(note, &other);
    CHECK(other.times == 0);
    look_at(2);
    CHECK(told.times == 2 && other.times == 1);

    portalloc_set_warning_handler(NULL, NULL);
    look_at(3);
    CHECK(told.times == 2 && other.times == 1);
    portalloc_set_warning_handler(note, &told);
    CHECK(told.times == 3 && strstr(told.message, pool(3)) != NULL);
    portalloc_set_warning_handler(NULL, NULL);
}

static int calls;

/* Calls the library, in ways that fail, succeed, and have something to warn of themselves. */
static void call_back(const char *code, const char *message, void *data) {
    CHECK(strcmp(code, "pool") == 0 && message[0] != '\0' && data == NULL);
    int call = ++calls;
    CHECK(portalloc_last_error_message()[0] == '\0');
    FAILS(portalloc_check_id("no ID"), INVALID_ID, "no ID");
    if (call == 1) {
        look_at(5);
        CHECK(calls == 2);
        portalloc_set_warning_handler(call_back, NULL);
        CHECK(strstr(portalloc_last_error_message(), "no ID") != NULL);
    }
}

static void the_handler_calls_the_library(void) {
    portalloc_set_warning_handler(call_back, NULL);
    portalloc_lease_options options = portalloc_lease_options_default();
    options.pool = pool(4);
    options.count = 100;
    portalloc_lease *lease = NULL;
    portalloc_result result = portalloc_lease_new(&options, &lease);
    CHECK(result == PORTALLOC_RESULT_POOL_EXHAUSTED || result == PORTALLOC_RESULT_INVALID_ARGUMENT);
    CHECK(calls == 2 && lease == NULL);
    /* The error of the call around it. */
    CHECK(strstr(portalloc_last_error_message(), "100") != NULL && portalloc_last_error_remedy()[0] != '\0');
    portalloc_set_warning_handler(NULL, NULL);
}

static void *in_a_thread(void *unused) {
    look_at(6);
    return unused;
}

static void the_thread_that_calls(void) {
    struct told told = {0};
    portalloc_set_warning_handler(note, &told);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, in_a_thread, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(told.times == 1 && pthread_equal(told.thread, thread));
    portalloc_set_warning_handler(NULL, NULL);
}

static void a_forked_child(void) {
    struct told told = {0};
    portalloc_set_warning_handler(note, &told);
    look_at(7);
    CHECK(told.times == 1);
    /* Left for whoever listens next, which is not the child. */
    portalloc_set_warning_handler(NULL, NULL);
    look_at(8);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        portalloc_set_warning_handler(note, &told);
        CHECK(told.times == 1);
        look_at(7);
        look_at(7);
        CHECK(told.times == 2);
        _exit(0);
    }
    ends_well(child);
    portalloc_set_warning_handler(note, &told);
    CHECK(told.times == 2 && strstr(told.message, pool(8)) != NULL);
    portalloc_set_warning_handler(NULL, NULL);
}

int main(void) {
    FILE *range = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
    CHECK(range != NULL && fscanf(range, "%u", &ephemeral) == 1 && ephemeral > 1100 && fclose(range) == 0);
    each_once();
    the_handler_calls_the_library();
    the_thread_that_calls();
    a_forked_child();
    puts("left well");
    return 0;
}
