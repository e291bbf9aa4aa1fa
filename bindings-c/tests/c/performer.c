/*
 * Performs one operation of tests/behaviours and says what came of it: what C is asked by the runner, behaviours.rs.
 *
 * Standard input: the operation, then a line for each argument: a name, a blank, a text whose bytes other than letters and
 * digits are %XX. A list is a line for each element, behind one with the name and "[]". Standard output: the same, with a
 * letter in front for what the text means (n number, b boolean, s text, j a JSON object whose members belong to the answer, c
 * the same with the lengths of its lists, z nothing); or "error" and "message".
 */
#define _POSIX_C_SOURCE 200809L

#include <portalloc.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 64, LONGEST = 65536, LONGEST_NAME = 32 };

static struct {
    char name[LONGEST_NAME];
    char text[LONGEST];
} arguments[MAX_ARGUMENTS];
static size_t argument_count;

static void must(bool condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "performer: %s\n", what);
        exit(70);
    }
}

/** The message is read after the call, which the order of a call's arguments does not promise. */
static void succeeds(portalloc_result result) { must(result == PORTALLOC_RESULT_OK, portalloc_last_error_message()); }

static const char *text(const char *name) {
    for (size_t index = 0; index < argument_count; index++) {
        if (strcmp(arguments[index].name, name) == 0) {
            return arguments[index].text;
        }
    }
    return NULL;
}

static int64_t number(const char *name) {
    int64_t given = text(name) == NULL ? 0 : strtoll(text(name), NULL, 10);
    return text(name) != NULL && given == 0 ? PORTALLOC_ZERO : given;
}

static bool is_true(const char *name) { return text(name) != NULL && strcmp(text(name), "true") == 0; }

static bool is_list(const char *name) {
    char head[LONGEST_NAME + 2];
    snprintf(head, sizeof head, "%s[]", name);
    return text(head) != NULL;
}

static size_t texts(const char *name, const char **out) {
    size_t count = 0;
    for (size_t index = 0; index < argument_count; index++) {
        if (strcmp(arguments[index].name, name) == 0) {
            out[count++] = arguments[index].text;
        }
    }
    return count;
}

static size_t ports(const char *name, uint16_t *out) {
    const char *listed[MAX_ARGUMENTS];
    size_t count = texts(name, listed);
    for (size_t index = 0; index < count; index++) {
        out[index] = (uint16_t)strtoul(listed[index], NULL, 10);
    }
    return count;
}

static void tell(char kind, const char *name, const char *told) {
    printf("%c %s ", kind, name);
    for (const char *at = told; *at != '\0'; at++) {
        if (isalnum((unsigned char)*at)) {
            putchar(*at);
        } else {
            printf("%%%02x", (unsigned char)*at);
        }
    }
    putchar('\n');
}

static void tell_number(const char *name, uint64_t told) { printf("n %s %" PRIu64 "\n", name, told); }

static void tell_ports(const uint16_t *told, size_t count) {
    printf("n ports[] \n");
    for (size_t index = 0; index < count; index++) {
        tell_number("ports", told[index]);
    }
}

static void tell_truth(const char *name, bool told) { tell('b', name, told ? "true" : "false"); }

/** The environment of a worktree that a performance which fails leaves. */
static portalloc_environment *unended;

/** The end of a performance that failed. */
static void check(portalloc_result result) {
    if (result != PORTALLOC_RESULT_OK) {
        tell('s', "error", portalloc_error_code(result));
        tell('s', "message", portalloc_last_error_message());
        if (unended != NULL) {
            succeeds(portalloc_environment_cleanup(unended));
        }
        exit(0);
    }
}

/** Ports that somebody else has, for as long as this process runs. */
static void lease_before(void) {
    uint16_t listed[MAX_ARGUMENTS];
    if (is_list("leased")) {
        portalloc_lease_options options = portalloc_lease_options_default();
        options.exact = listed;
        options.exact_count = ports("leased", listed);
        portalloc_lease *kept;
        succeeds(portalloc_lease_new(&options, &kept));
    }
}

static void pool(void) {
    char *settings;
    check(portalloc_settings(text("pool"), text("exclude"), &settings));
    tell('j', "settings", settings);
    portalloc_string_free(settings);
}

static void lease(void) {
    uint16_t listed[MAX_ARGUMENTS];
    lease_before();
    portalloc_lease_options options = portalloc_lease_options_default();
    options.pool = text("pool");
    options.exclude = text("exclude");
    options.count = number("count");
    options.exact = is_list("ports") ? listed : NULL;
    options.exact_count = ports("ports", listed);
    options.wait_ms = number("wait_ms");
    uint16_t preferred[MAX_ARGUMENTS];
    options.prefer = is_list("prefer") ? preferred : NULL;
    options.prefer_count = ports("prefer", preferred);
    portalloc_lease *made;
    check(portalloc_lease_new(&options, &made));
    uint16_t had[MAX_ARGUMENTS];
    size_t count = portalloc_lease_ports(made, had, MAX_ARGUMENTS);
    tell_number("count", portalloc_lease_count(made));
    tell_ports(had, count);
    portalloc_lease_free(made);
}

static void check_ports(void) {
    uint16_t listed[MAX_ARGUMENTS];
    bool free[MAX_ARGUMENTS];
    lease_before();
    size_t count = ports("ports", listed);
    for (size_t index = 0; index < count; index++) {
        check(portalloc_is_free(listed[index], &free[index]));
    }
    printf("b free[] \n");
    for (size_t index = 0; index < count; index++) {
        tell('b', "free", free[index] ? "true" : "false");
    }
}

/** What the options of environments point to. */
static const char *names[MAX_ARGUMENTS];
static uint16_t preferred[MAX_ARGUMENTS];

/** What all environments are asked for with. */
static portalloc_environment_options asked(void) {
    portalloc_environment_options options = portalloc_environment_options_default();
    options.pool = text("pool");
    options.exclude = text("exclude");
    options.count = number("count");
    options.names = is_list("names") ? names : NULL;
    options.names_count = texts("names", names);
    options.instance_id = text("instance_id");
    options.worktree = text("worktree");
    options.prefer = is_list("prefer") ? preferred : NULL;
    options.prefer_count = ports("prefer", preferred);
    return options;
}

/** The value of a variable, or NULL. */
static const char *variable(const portalloc_environment *made, const char *name) {
    for (size_t index = 0; index < portalloc_environment_variable_count(made); index++) {
        if (strcmp(portalloc_environment_variable_name(made, index), name) == 0) {
            return portalloc_environment_variable_value(made, index);
        }
    }
    return NULL;
}

/** What an environment is. */
static void describe(const portalloc_environment *made) {
    const char *shown[MAX_ARGUMENTS];
    uint16_t had[MAX_ARGUMENTS];
    size_t count = portalloc_environment_ports(made, had, MAX_ARGUMENTS);
    tell_number("count", count);
    tell_ports(had, count);
    printf("s variables[] \n");
    for (size_t index = 0; index < portalloc_environment_variable_count(made); index++) {
        tell('s', "variables", portalloc_environment_variable_name(made, index));
    }
    printf("s values[] \n");
    count = texts("show", shown);
    for (size_t index = 0; index < count; index++) {
        const char *value = variable(made, shown[index]);
        bool is_number = value != NULL && value[0] != '\0' && strspn(value, "0123456789") == strlen(value);
        tell(value == NULL ? 'z' : is_number ? 'n' : 's', "values", value == NULL ? "" : value);
    }
}

static void create_environment(void) {
    lease_before();
    portalloc_environment_options options = asked();
    options.kept = is_true("kept");
    options.ttl_ms = number("ttl_ms");
    options.owner_pid = number("owner_pid");
    if (text("env_file") != NULL && strcmp(text("env_file"), "false") != 0) {
        options.env_file = text("env_file");
    }
    portalloc_environment *made;
    check(portalloc_environment_new(&options, &made));
    describe(made);
    succeeds(portalloc_environment_cleanup(made));
    portalloc_environment_free(made);
}

/** The worktree, which is where this process is at first. */
static char worktree[4096];

static void go_to(const char *below) { must(chdir(worktree) == 0 && chdir(below) == 0, below); }

/** Goes where the first call is made. Gives its options. */
static portalloc_environment_options first_time(void) {
    go_to(text("from") == NULL ? "." : text("from"));
    return asked();
}

static bool is_the_same(const portalloc_environment *one, const portalloc_environment *other) {
    return strcmp(portalloc_environment_id(one), portalloc_environment_id(other)) == 0;
}

static bool goes_down(portalloc_environment *environment) {
    char *report;
    check(portalloc_environment_down(environment, NULL, &report));
    bool is_removed = strstr(report, "\"removed\":true") != NULL;
    portalloc_string_free(report);
    return is_removed;
}

static void worktree_environment(void) {
    lease_before();
    portalloc_environment *first, *second, *found;
    portalloc_environment_options options = first_time();
    check(portalloc_worktree_environment(&options, &first));
    unended = first;
    go_to(".");
    portalloc_environment_options again = options;
    again.worktree = NULL;
    again.instance_id = text("instance_id_again") == NULL ? again.instance_id : text("instance_id_again");
    check(portalloc_worktree_environment(&again, &second));
    describe(first);
    options = first_time();
    bool is_same = is_the_same(first, second);
    tell_truth("same", is_same);
    check(portalloc_worktree_environment_find(&options, &found));
    tell_truth("found", is_the_same(found, first));
    portalloc_environment_free(found);
    bool is_first_removed = goes_down(first);
    tell_truth("removed", is_first_removed && (is_same || goes_down(second)));
    portalloc_result result = portalloc_worktree_environment_find(&options, &found);
    must(result == PORTALLOC_RESULT_OK || result == PORTALLOC_RESULT_NOT_FOUND, portalloc_last_error_message());
    tell_truth("found_after", result == PORTALLOC_RESULT_OK);
    if (result == PORTALLOC_RESULT_OK) {
        portalloc_environment_free(found);
    }
    portalloc_environment_free(second);
    portalloc_environment_free(first);
}

static void find_worktree_environment(void) {
    portalloc_environment *found;
    portalloc_environment_options options = first_time();
    check(portalloc_worktree_environment_find(&options, &found));
    describe(found);
    portalloc_environment_free(found);
}

/** Writes the files of `project_after`. Their directories are there. */
static void write_files(void) {
    const char *paths[MAX_ARGUMENTS], *contents[MAX_ARGUMENTS];
    size_t count = texts("after_paths", paths);
    must(texts("after_texts", contents) == count, "a text for each file");
    go_to(".");
    for (size_t index = 0; index < count; index++) {
        FILE *file = fopen(paths[index], "w");
        must(file != NULL && fputs(contents[index], file) >= 0 && fclose(file) == 0, paths[index]);
    }
}

static void repair_worktree_environment(void) {
    lease_before();
    portalloc_environment *before, *after;
    portalloc_environment_options options = first_time();
    check(portalloc_worktree_environment(&options, &before));
    unended = before;
    write_files();
    options = first_time();
    check(portalloc_worktree_environment_repair(&options, &after));
    describe(after);
    tell_truth("same", is_the_same(before, after));
    check(portalloc_environment_cleanup(after));
    portalloc_environment_free(after);
    portalloc_environment_free(before);
}

static void stop(void) {
    char *report;
    portalloc_environment *made;
    portalloc_environment_options options = first_time();
    check(portalloc_worktree_environment(&options, &made));
    unended = made;
    portalloc_stop_options how = portalloc_stop_options_default();
    how.dry_run = true;
    check(portalloc_environment_stop(made, &how, &report));
    tell('c', "report", report);
    portalloc_string_free(report);
    check(portalloc_environment_cleanup(made));
    portalloc_environment_free(made);
}

static void parse_id(void) {
    check(portalloc_check_id(text("text")));
    tell('s', "id", text("text"));
}

static void validate(void) {
    bool valid;
    check(portalloc_validate(text("id"), &valid, NULL));
    tell_truth("valid", valid);
}

static void cleanup(void) {
    bool removed;
    check(portalloc_cleanup(text("id"), &removed));
    tell_number("removed", removed ? 1 : 0);
}

static void render(void) {
    const char *names[MAX_ARGUMENTS];
    const char *values[MAX_ARGUMENTS];
    size_t count = texts("names", names);
    must(texts("values", values) == count, "a value for each name");
    char *written;
    check(portalloc_render(names, values, count, text("syntax"), &written));
    tell('s', "text", written);
    portalloc_string_free(written);
}

static void error_codes(void) {
    printf("s codes[] \n");
    for (uint32_t result = 1; portalloc_error_code(result) != NULL; result++) {
        tell('s', "codes", portalloc_error_code(result));
    }
}

/** Reads %XX. A zero byte ends the text, as C has it. */
static void decode(char *at, const char *from, size_t length) {
    must(length < LONGEST, "an argument is too long");
    for (size_t index = 0; index < length; index++) {
        if (from[index] == '%') {
            char digits[3] = {from[index + 1], from[index + 2], '\0'};
            *at++ = (char)strtoul(digits, NULL, 16);
            index += 2;
        } else {
            *at++ = from[index];
        }
    }
    *at = '\0';
}

int main(void) {
    static const struct {
        const char *name;
        void (*perform)(void);
    } operations[] = {
        {"pool", pool},
        {"lease", lease},
        {"check", check_ports},
        {"create_environment", create_environment},
        {"worktree_environment", worktree_environment},
        {"find_worktree_environment", find_worktree_environment},
        {"repair_worktree_environment", repair_worktree_environment},
        {"stop", stop},
        {"parse_id", parse_id},
        {"validate", validate},
        {"cleanup", cleanup},
        {"render", render},
        {"error_codes", error_codes},
    };
    static char line[4 * LONGEST];
    char operation[32] = "";
    must(getcwd(worktree, sizeof worktree) != NULL, "no current directory");
    must(scanf("%31s\n", operation) == 1, "no operation");
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *blank = strchr(line, ' ');
        char *end = strchr(line, '\n');
        must(blank != NULL && end != NULL && argument_count < MAX_ARGUMENTS, "a name, a blank, a text");
        *blank = '\0';
        must((size_t)(blank - line) < sizeof arguments[0].name, "a name is too long");
        memcpy(arguments[argument_count].name, line, (size_t)(blank - line) + 1);
        decode(arguments[argument_count].text, blank + 1, (size_t)(end - blank - 1));
        argument_count++;
    }
    for (size_t index = 0; index < sizeof operations / sizeof operations[0]; index++) {
        if (strcmp(operations[index].name, operation) == 0) {
            operations[index].perform();
            return 0;
        }
    }
    must(false, "no such operation");
}
