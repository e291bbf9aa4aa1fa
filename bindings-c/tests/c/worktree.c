/* The environment of a worktree: one for all who ask, moved, held, and its servers, which are waited for and ended. With an
 * argument no process is ended, since that needs a system call which valgrind does not know. */
#define _GNU_SOURCE

#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

enum { LONGEST = 8192 };

/* That of the worktree that is the current directory, with a port named web. */
static portalloc_environment_options wanted(void) {
    static const char *names[] = {"web"};
    portalloc_environment_options options = portalloc_environment_options_default();
    options.names = names;
    options.names_count = 1;
    return options;
}

static portalloc_environment *made(const char *worktree) {
    portalloc_environment_options options = wanted();
    options.worktree = worktree;
    portalloc_environment *environment;
    OK(portalloc_worktree_environment(&options, &environment));
    return environment;
}

static bool is_the_same(const portalloc_environment *one, const portalloc_environment *other) {
    return strcmp(portalloc_environment_id(one), portalloc_environment_id(other)) == 0;
}

static uint16_t web(const portalloc_environment *environment) { return portalloc_environment_port(environment, "web"); }

/* That a report has this text in it. Frees it. */
static void tells(char *report, const char *text) {
    if (strstr(report, text) == NULL) {
        fprintf(stderr, "%s is not in %s\n", text, report);
        _exit(1);
    }
    portalloc_string_free(report);
}

static int listening(uint16_t port) {
    int server = bound(SOCK_STREAM, port, true);
    CHECK(server >= 0 && listen(server, 8) == 0);
    return server;
}

/* A child process that answers every connection with status 204. It does not outlive this process. */
static pid_t serve(uint16_t port, bool is_stubborn) {
    int ready[2];
    char told;
    CHECK(pipe2(ready, O_CLOEXEC) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
        CHECK(signal(SIGTERM, is_stubborn ? SIG_IGN : SIG_DFL) != SIG_ERR);
        int server = listening(port);
        CHECK(write(ready[1], "!", 1) == 1);
        for (;;) {
            char asked[512];
            const char answer[] = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            int connection = accept(server, NULL, NULL);
            if (read(connection, asked, sizeof asked) > 0) {
                CHECK(write(connection, answer, sizeof answer - 1) > 0);
            }
            close(connection);
        }
    }
    close(ready[1]);
    CHECK(read(ready[0], &told, 1) == 1 && close(ready[0]) == 0);
    return child;
}

/* The signal that has ended a child. */
static int ended_by(pid_t child) {
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    return WTERMSIG(status);
}

static void nothing_is_given(void) {
    portalloc_environment *environment = NULL;
    portalloc_hold *hold = NULL;
    char *report = NULL;
    int32_t number = -7;
    FAILS(portalloc_worktree_environment(NULL, NULL), INVALID_ARGUMENT, "out is NULL");
    FAILS(portalloc_worktree_environment_find(NULL, NULL), INVALID_ARGUMENT, "out is NULL");
    FAILS(portalloc_worktree_environment_repair(NULL, NULL), INVALID_ARGUMENT, "out is NULL");
    FAILS(portalloc_worktree_environment_find(NULL, &environment), NOT_FOUND, "");
    FAILS(portalloc_environment_stop(NULL, NULL, &report), INVALID_ARGUMENT, "environment is NULL");
    FAILS(portalloc_environment_down(NULL, NULL, &report), INVALID_ARGUMENT, "environment is NULL");
    FAILS(portalloc_wait_until_ours(NULL, NULL, 0, NULL, 0, NULL), INVALID_ARGUMENT, "environment is NULL");
    FAILS(portalloc_environment_write_block(NULL, "file"), INVALID_ARGUMENT, "environment is NULL");
    FAILS(portalloc_environment_hold(NULL, &hold), INVALID_ARGUMENT, "environment is NULL");
    FAILS(portalloc_hold_inheritable(NULL, &number), INVALID_ARGUMENT, "hold is NULL");
    portalloc_hold_free(NULL);
    CHECK(environment == NULL && hold == NULL && report == NULL && number == -7);
    OK(portalloc_environment_new(NULL, &environment));
    FAILS(portalloc_environment_hold(environment, &hold), INVALID_ARGUMENT, portalloc_environment_id(environment));
    FAILS(portalloc_environment_write_block(environment, "file"), INVALID_ARGUMENT, "");
    portalloc_environment_free(environment);
    CHECK(hold == NULL && access("file", F_OK) != 0);
}

static void it_is_the_same_for_all_who_ask(void) {
    portalloc_environment *first = made(NULL), *other = NULL;
    uint16_t port = web(first);
    CHECK(portalloc_environment_is_kept(first) && !portalloc_environment_is_attached(first));
    portalloc_environment *again = made(NULL);
    CHECK(is_the_same(first, again) && portalloc_environment_is_attached(again));
    portalloc_environment_free(again);
    CHECK(!could_be_leased(port));
    portalloc_environment_options options = wanted();
    OK(portalloc_worktree_environment_find(&options, &again));
    CHECK(is_the_same(first, again) && web(again) == port);
    portalloc_environment_free(again);
    OK(portalloc_worktree_environment_repair(&options, &again));
    CHECK(is_the_same(first, again));
    portalloc_environment_free(again);
    options.instance_id = "other";
    FAILS(portalloc_worktree_environment_find(&options, &other), NOT_FOUND, "");
    options.worktree = "/nowhere";
    FAILS(portalloc_worktree_environment_find(&options, &other), INVALID_ARGUMENT, "/nowhere");
    CHECK(other == NULL);
    OK(portalloc_environment_cleanup(first));
    portalloc_environment_free(first);
    CHECK(could_be_leased(port));
}

/* This process is outside of that worktree. */
static void somebody_elses_server(void) {
    CHECK(mkdir("elsewhere", 0700) == 0);
    portalloc_environment *environment = made("elsewhere"), *moved;
    uint16_t port = web(environment);
    char pid[32], number[8], *report;
    snprintf(pid, sizeof pid, "\"pid\":%ld", (long)getpid());
    snprintf(number, sizeof number, "%u", (unsigned)port);
    FAILS(portalloc_wait_until_ours(environment, NULL, 0, NULL, 0, NULL), TIMEOUT, number);
    int server = listening(port);
    FAILS(portalloc_wait_until_ours(environment, &port, 1, NULL, PORTALLOC_FOREVER, NULL), PORT_IN_USE, "");
    OK(portalloc_environment_stop(environment, NULL, &report));
    CHECK(strstr(report, "\"processes\":[]") != NULL);
    tells(report, pid);
    OK(portalloc_environment_down(environment, NULL, &report));
    CHECK(strstr(report, "\"removed\":false") != NULL);
    tells(report, pid);

    portalloc_environment_options options = wanted();
    options.worktree = "elsewhere";
    OK(portalloc_worktree_environment_repair(&options, &moved));
    CHECK(!is_the_same(moved, environment) && web(moved) != port);
    portalloc_environment_free(environment);
    environment = made("elsewhere");
    CHECK(is_the_same(moved, environment));
    CHECK(close(server) == 0 && could_be_leased(port));
    OK(portalloc_environment_cleanup(moved));
    portalloc_environment_free(environment);
    portalloc_environment_free(moved);
    CHECK(rmdir("elsewhere") == 0);
}

static void its_own_servers(void) {
    portalloc_environment *environment = made(NULL), *moved = NULL;
    uint16_t port = web(environment), none = port == 65535 ? 1 : port + 1;
    char pid[32], *report;
    pid_t server = serve(port, false);
    snprintf(pid, sizeof pid, "\"pid\":%ld", (long)server);
    portalloc_ready_options ready = portalloc_ready_options_default();
    OK(portalloc_wait_until_ours(environment, NULL, 0, NULL, PORTALLOC_FOREVER, NULL));
    ready.http = "/health";
    OK(portalloc_wait_until_ours(environment, &port, 1, &ready, PORTALLOC_FOREVER, NULL));
    ready.status = 204;
    OK(portalloc_wait_until_ours(environment, &port, 1, &ready, PORTALLOC_FOREVER, NULL));
    ready.status = 200;
    FAILS(portalloc_wait_until_ours(environment, &port, 1, &ready, 0, NULL), TIMEOUT, "204");

    portalloc_environment_options options = wanted();
    options.count = 2;
    FAILS(portalloc_worktree_environment_repair(&options, &moved), IN_USE, portalloc_environment_id(environment));
    CHECK(moved == NULL);

    portalloc_stop_options how = portalloc_stop_options_default();
    how.dry_run = true;
    how.ports = &none;
    how.ports_count = 1;
    FAILS(portalloc_environment_stop(environment, &how, &report), INVALID_ARGUMENT, "");
    how.ports = &port;
    OK(portalloc_environment_stop(environment, &how, &report));
    CHECK(strstr(report, pid) != NULL && strstr(report, "\"reason\":\"directory\"") != NULL);
    tells(report, "\"outcome\":\"would_end\"");
    OK(portalloc_wait_until_ours(environment, &port, 1, NULL, 0, NULL));
    how.dry_run = false;
    OK(portalloc_environment_stop(environment, &how, &report));
    CHECK(strstr(report, pid) != NULL && strstr(report, "\"removed\":false") != NULL);
    tells(report, "\"outcome\":\"ended\"");
    CHECK(ended_by(server) == SIGTERM);
    OK(portalloc_environment_down(environment, NULL, NULL));
    options = wanted();
    FAILS(portalloc_worktree_environment_find(&options, &moved), NOT_FOUND, "");
    portalloc_environment_free(environment);
}

static void one_that_does_not_want_to_end(void) {
    portalloc_environment *environment = made(NULL);
    char *report = NULL;
    pid_t server = serve(web(environment), true);
    portalloc_cancel *cancel;
    OK(portalloc_cancel_new(&cancel));
    portalloc_cancel_now(cancel);
    portalloc_stop_options how = portalloc_stop_options_default();
    how.cancel = cancel;
    how.timeout_ms = PORTALLOC_FOREVER;
    FAILS(portalloc_environment_stop(environment, &how, &report), TIMEOUT, "");
    FAILS(portalloc_environment_down(environment, &how, &report), TIMEOUT, "");
    CHECK(report == NULL && waitpid(server, NULL, WNOHANG) == 0);
    portalloc_ready_options never = portalloc_ready_options_default();
    never.http = "/";
    never.status = 500;
    FAILS(portalloc_wait_until_ours(environment, NULL, 0, &never, PORTALLOC_FOREVER, cancel), TIMEOUT, "");
    portalloc_cancel_free(cancel);
    how.cancel = NULL;
    how.timeout_ms = PORTALLOC_ZERO;
    OK(portalloc_environment_down(environment, &how, &report));
    CHECK(strstr(report, "\"outcome\":\"killed\"") != NULL);
    tells(report, "\"removed\":true");
    CHECK(ended_by(server) == SIGKILL);
    portalloc_environment_free(environment);
}

static void a_hold_keeps_it(void) {
    portalloc_environment *environment = made(NULL);
    const char *id = portalloc_environment_id(environment);
    portalloc_hold *hold = NULL;
    int32_t copy;
    FAILS(portalloc_environment_hold(environment, NULL), INVALID_ARGUMENT, "out is NULL");
    OK(portalloc_environment_hold(environment, &hold));
    FAILS(portalloc_hold_inheritable(hold, NULL), INVALID_ARGUMENT, "out is NULL");
    FAILS(portalloc_environment_cleanup(environment), IN_USE, id);
    OK(portalloc_hold_inheritable(hold, &copy));
    CHECK((fcntl(copy, F_GETFD) & FD_CLOEXEC) == 0);
    portalloc_hold_free(hold);
    /* From now on it is whoever has a copy that holds it. */
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
        for (;;) {
            pause();
        }
    }
    CHECK(close(copy) == 0);
    char *report = NULL;
    FAILS(portalloc_environment_cleanup(environment), IN_USE, id);
    FAILS(portalloc_environment_down(environment, NULL, &report), IN_USE, id);
    CHECK(report == NULL && kill(child, SIGKILL) == 0 && ended_by(child) == SIGKILL);
    OK(portalloc_environment_down(environment, NULL, &report));
    tells(report, "\"removed\":true");
    FAILS(portalloc_environment_hold(environment, &hold), NOT_FOUND, id);
    portalloc_environment_free(environment);
}

static size_t read_file(const char *path, char *text) {
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    size_t length = fread(text, 1, LONGEST - 1, file);
    CHECK(fclose(file) == 0);
    text[length] = '\0';
    return length;
}

static void a_block_in_a_file_that_people_edit(void) {
    portalloc_environment *environment = made(NULL);
    char before[LONGEST], text[LONGEST], line[64];
    snprintf(line, sizeof line, "\nWEB_PORT=%u\n", (unsigned)web(environment));
    FILE *file = fopen(".env.local", "w");
    CHECK(file != NULL && fputs("MINE=1\n", file) >= 0 && fclose(file) == 0);
    FAILS(portalloc_environment_write_block(environment, NULL), INVALID_ARGUMENT, "path is NULL");
    OK(portalloc_environment_write_block(environment, ".env.local"));
    size_t length = read_file(".env.local", before);
    CHECK(strncmp(before, "MINE=1\n", 7) == 0 && strstr(before, line) != NULL);
    OK(portalloc_environment_write_block(environment, ".env.local"));
    CHECK(read_file(".env.local", text) == length && strcmp(before, text) == 0);
    /* Without the last line, which is a marker. */
    text[length - 1] = '\0';
    CHECK(truncate(".env.local", strrchr(text, '\n') + 1 - text) == 0);
    FAILS(portalloc_environment_write_block(environment, ".env.local"), INVALID_ARGUMENT, ".env.local:");
    file = fopen(".env.local", "w");
    CHECK(file != NULL && fputs(before, file) >= 0 && fclose(file) == 0);
    OK(portalloc_environment_down(environment, NULL, NULL));
    read_file(".env.local", text);
    CHECK(strcmp(text, "MINE=1\n") == 0 && unlink(".env.local") == 0);
    portalloc_environment_free(environment);
}

int main(int count, char **arguments) {
    (void)arguments;
    nothing_is_given();
    it_is_the_same_for_all_who_ask();
    somebody_elses_server();
    if (count == 1) {
        its_own_servers();
        one_that_does_not_want_to_end();
    }
    a_hold_keeps_it();
    a_block_in_a_file_that_people_edit();
    puts("left well");
}
