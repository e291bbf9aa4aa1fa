/* Programs that close or replace descriptors of the library: what they lose, and what they must not. */
#define _GNU_SOURCE

#include "own_files.h"

/* Which descriptors lead to the file that leases lock. */
static void find_locks(bool found[NUMBERS]) {
    for (int number = 0; number < NUMBERS; number++) {
        char path[64], target[4096];
        snprintf(path, sizeof path, "/proc/self/fd/%d", number);
        ssize_t length = readlink(path, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = '\0';
        const char *name = strrchr(target, '/');
        found[number] = name != NULL && strcmp(name, "/ports") == 0;
    }
}

/* A lease, and its descriptor. */
static portalloc_lease *leased(int *its_number, bool guard) {
    bool before[NUMBERS], after[NUMBERS];
    find_locks(before);
    portalloc_lease *lease;
    portalloc_lease_options options = portalloc_lease_options_default();
    options.guard = guard;
    OK(portalloc_lease_new(&options, &lease));
    find_locks(after);
    int count = 0;
    for (int number = 0; number < NUMBERS; number++) {
        if (after[number] && !before[number]) {
            *its_number = number;
            count++;
        }
    }
    CHECK(count == 1 && portalloc_lease_is_held(lease));
    return lease;
}

/* What stays open between calls. */
static void use_it_once(void) {
    portalloc_lease *lease;
    OK(portalloc_lease_new(NULL, &lease));
    portalloc_lease_free(lease);
}

static void a_new_lease_works(void) {
    portalloc_lease *lease;
    OK(portalloc_lease_new(NULL, &lease));
    uint16_t port = portalloc_lease_port(lease, 0);
    CHECK(portalloc_lease_is_held(lease) && !could_be_leased(port));
    portalloc_lease_free(lease);
    CHECK(could_be_leased(port));
}

static void all_were_closed(void) {
    use_it_once();
    close_all();
    int file = own_file();
    a_new_lease_works();
    CHECK(write(file, "mine", 4) == 4 && close(file) == 0);

    use_it_once();
    close_all();
    file = own_files_everywhere();
    a_new_lease_works();
    all_are_still(file);
    bool is_free;
    OK(portalloc_is_free(1, &is_free));
    char *listing;
    OK(portalloc_list(&listing));
    portalloc_string_free(listing);
    all_are_still(file);
    close_all();
    a_new_lease_works();
}

static void one_of_two_leases_is_lost(void) {
    use_it_once();
    int lost_number, number;
    portalloc_lease *lost = leased(&lost_number, false), *lease = leased(&number, false);
    uint16_t lost_port = portalloc_lease_port(lost, 0), port = portalloc_lease_port(lease, 0);
    int file = own_file();
    CHECK(dup2(file, lost_number) == lost_number);
    CHECK(!portalloc_lease_is_held(lost) && portalloc_lease_is_held(lease));
    CHECK(could_be_leased(lost_port) && !could_be_leased(port));
    OK(portalloc_lease_release(lost));
    portalloc_lease_free(lost);
    CHECK(is_the_same(file, lost_number) && portalloc_lease_is_held(lease) && !could_be_leased(port));

    /* A lease's descriptor under the number of another's is not that other's. */
    lost = leased(&lost_number, false);
    CHECK(dup2(number, lost_number) == lost_number);
    CHECK(!portalloc_lease_is_held(lost) && portalloc_lease_is_held(lease));
    portalloc_lease_free(lost);
    CHECK(portalloc_lease_is_held(lease) && !could_be_leased(port));
    portalloc_lease_free(lease);
    CHECK(could_be_leased(port));
    CHECK(close(file) == 0);
    close_all();
}

static void all_leases_are_lost(void) {
    use_it_once();
    int number;
    portalloc_lease *lost = leased(&number, true), *released = leased(&number, false);
    portalloc_environment *environment;
    portalloc_environment_options options = portalloc_environment_options_default();
    OK(portalloc_environment_new(&options, &environment));
    uint16_t held;
    OK(portalloc_port(NULL, &held));
    close_all();
    int file = own_files_everywhere();
    CHECK(!portalloc_lease_is_held(lost) && !portalloc_lease_is_held(released));
    OK(portalloc_lease_drop_guard(lost));
    OK(portalloc_lease_release(released));
    portalloc_lease_free(released);
    portalloc_lease_free(lost);
    CHECK(!portalloc_give_back(held));
    portalloc_environment_free(environment);
    all_are_still(file);
    close_all();
    size_t removed;
    OK(portalloc_cleanup_stale(&removed));
}

static void in_a_forked_child(void) {
    use_it_once();
    int number;
    portalloc_lease *lease = leased(&number, false);
    uint16_t port = portalloc_lease_port(lease, 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        close_all();
        int file = own_files_everywhere();
        CHECK(!portalloc_lease_is_held(lease));
        a_new_lease_works();
        portalloc_lease_free(lease);
        all_are_still(file);
        CHECK(!could_be_leased(port));
        _exit(0);
    }
    ends_well(child);
    CHECK(portalloc_lease_is_held(lease) && !could_be_leased(port));
    portalloc_lease_free(lease);
}

int main(void) {
    all_were_closed();
    one_of_two_leases_is_lost();
    all_leases_are_lost();
    in_a_forked_child();
    puts("left well");
    return 0;
}
