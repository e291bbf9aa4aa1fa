/*
 * Performs one operation of tests/behaviours and says what came of it: what C is asked by the runner, behaviours.rs.
 *
 * Standard input: the operation, then a line for each argument: a name, a blank, a text whose bytes other than letters and
 * digits are %XX. A list is a line for each element, behind one with the name and "[]". Standard output: the same, with a
 * letter in front for what the text means (n number, b boolean, s text, j a JSON object whose members are the answer); or
 * "error" and "message".
 */
#define _POSIX_C_SOURCE 200809L

#include <portalloc.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/** The end of a performance that failed. */
static void check(portalloc_result result) {
    if (result != PORTALLOC_RESULT_OK) {
        tell('s', "error", portalloc_error_code(result));
        tell('s', "message", portalloc_last_error_message());
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
        must(portalloc_lease_new(&options, &kept) == PORTALLOC_RESULT_OK, portalloc_last_error_message());
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

static void create_environment(void) {
    const char *names[MAX_ARGUMENTS];
    portalloc_environment_options options = portalloc_environment_options_default();
    options.pool = text("pool");
    options.count = number("count");
    options.names = is_list("names") ? names : NULL;
    options.names_count = texts("names", names);
    options.instance_id = text("instance_id");
    options.kept = is_true("kept");
    options.ttl_ms = number("ttl_ms");
    options.owner_pid = number("owner_pid");
    options.worktree = text("worktree");
    if (text("env_file") != NULL && strcmp(text("env_file"), "false") != 0) {
        options.env_file = text("env_file");
    }
    portalloc_environment *made;
    check(portalloc_environment_new(&options, &made));
    printf("s variables[] \n");
    for (size_t index = 0; index < portalloc_environment_variable_count(made); index++) {
        tell('s', "variables", portalloc_environment_variable_name(made, index));
    }
    tell_number("count", portalloc_environment_ports(made, NULL, 0));
    must(portalloc_environment_cleanup(made) == PORTALLOC_RESULT_OK, portalloc_last_error_message());
    portalloc_environment_free(made);
}

static void parse_id(void) {
    check(portalloc_check_id(text("text")));
    tell('s', "id", text("text"));
}

static void validate(void) {
    bool valid;
    check(portalloc_validate(text("id"), &valid, NULL));
    tell('b', "valid", valid ? "true" : "false");
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
        {"pool", pool},         {"lease", lease},     {"check", check_ports},
        {"parse_id", parse_id}, {"render", render},   {"create_environment", create_environment},
        {"validate", validate}, {"cleanup", cleanup}, {"error_codes", error_codes},
    };
    static char line[4 * LONGEST];
    char operation[32] = "";
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
