/* A second copy of the library in the process, as a plugin brings it. Argument: that copy. */
#define _GNU_SOURCE

#include "own_files.h"

#include <dlfcn.h>
#include <pthread.h>

/* The same functions of the copy. */
static portalloc_result (*copy_lease_new)(const portalloc_lease_options *, portalloc_lease **);
static uint16_t (*copy_lease_port)(const portalloc_lease *, size_t);
static bool (*copy_lease_is_held)(const portalloc_lease *);
static void (*copy_lease_free)(portalloc_lease *);
static portalloc_result (*copy_port_at)(const char *, const portalloc_port_options *, uint16_t *);
static portalloc_result (*copy_check_id)(const char *);

/* What ISO C has no cast for. */
static void find(void *library, const char *name, void *function) {
    void *found = dlsym(library, name);
    CHECK(found != NULL);
    memcpy(function, &found, sizeof found);
}

static void *load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL);
    find(library, "portalloc_lease_new", &copy_lease_new);
    find(library, "portalloc_lease_port", &copy_lease_port);
    find(library, "portalloc_lease_is_held", &copy_lease_is_held);
    find(library, "portalloc_lease_free", &copy_lease_free);
    find(library, "portalloc_port_at", &copy_port_at);
    find(library, "portalloc_check_id", &copy_check_id);
    CHECK(copy_lease_new != portalloc_lease_new);
    return library;
}

/* Neither closes what is the other's or the program's. */
static void around_closing_all(void) {
    portalloc_lease *one, *other;
    OK(portalloc_lease_new(NULL, &one));
    OK(copy_lease_new(NULL, &other));
    uint16_t port = portalloc_lease_port(one, 0), other_port = copy_lease_port(other, 0);
    CHECK(port != other_port && !could_be_leased(port) && !could_be_leased(other_port));
    close_all();
    /* Numbers that were the copy's are the first one's now. */
    portalloc_lease *leases[20];
    for (int index = 0; index < 20; index++) {
        OK(portalloc_lease_new(NULL, &leases[index]));
    }
    portalloc_lease *own;
    OK(copy_lease_new(NULL, &own));
    CHECK(!portalloc_lease_is_held(one) && !copy_lease_is_held(other) && copy_lease_is_held(own));
    copy_lease_free(other);
    portalloc_lease_free(one);
    for (int index = 0; index < 20; index++) {
        CHECK(portalloc_lease_is_held(leases[index]) && !could_be_leased(portalloc_lease_port(leases[index], 0)));
        portalloc_lease_free(leases[index]);
    }
    CHECK(copy_lease_is_held(own) && !could_be_leased(copy_lease_port(own, 0)));
    close_all();
    int file = own_files_everywhere();
    CHECK(!copy_lease_is_held(own));
    copy_lease_free(own);
    OK(copy_lease_new(NULL, &own));
    OK(portalloc_lease_new(NULL, &one));
    copy_lease_free(own);
    portalloc_lease_free(one);
    all_are_still(file);
    close_all();
}

static uint16_t held;

/* In a thread that ends: as long as a thread has variables of a library that want an end, that stays loaded anyway. */
static void *use(void *library) {
    around_closing_all();
    OK(copy_port_at("plugin.c", NULL, &held));
    CHECK(copy_check_id("no ID") == PORTALLOC_RESULT_INVALID_ID);
    return library;
}

/* What the C library calls of it in forked children must stay, and so must ports that are held until the process ends. */
static void unloaded(const char *path, void *library) {
    CHECK(dlclose(library) == 0);
    void *still = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    CHECK(still != NULL && dlclose(still) == 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        portalloc_lease *lease;
        OK(portalloc_lease_new(NULL, &lease));
        portalloc_lease_free(lease);
        _exit(0);
    }
    ends_well(child);
    CHECK(!could_be_leased(held));
}

int main(int count, char **arguments) {
    CHECK(count == 2);
    void *library = load(arguments[1]);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, use, library) == 0 && pthread_join(thread, NULL) == 0);
    unloaded(arguments[1], library);
    puts("left well");
    return 0;
}
