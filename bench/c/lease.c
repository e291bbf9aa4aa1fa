/* What the C library costs over the core's own call, in turns in one run, since the machine's speed drifts. The argument is
 * the program portalloc-bench. Prints medians; judges nothing but the bound it was given. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <portalloc.h>

enum { TURNS = 15, CALLS = 5000 };

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, ascending);
    return values[count / 2];
}

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double ours(void) {
    static double times[CALLS];
    for (int call = 0; call < CALLS; call++) {
        double start = now_us();
        portalloc_lease *lease;
        if (portalloc_lease_new(NULL, &lease) != PORTALLOC_RESULT_OK) {
            fprintf(stderr, "%s\n", portalloc_last_error_message());
            exit(1);
        }
        portalloc_lease_free(lease);
        times[call] = now_us() - start;
    }
    return median(times, CALLS);
}

static double core(const char *program) {
    char command[4096];
    double nanoseconds;
    snprintf(command, sizeof command, "'%s' core %d", program, CALLS);
    FILE *printed = popen(command, "r");
    if (printed == NULL || fscanf(printed, "%lf", &nanoseconds) != 1 || pclose(printed) != 0) exit(1);
    return nanoseconds / 1e3;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    double of_c[TURNS], of_core[TURNS];
    ours();
    for (int turn = 0; turn < TURNS; turn++) {
        of_c[turn] = ours();
        of_core[turn] = core(argv[1]);
    }
    double c = median(of_c, TURNS), bare = median(of_core, TURNS);
    printf("\nC: medians in microseconds, %d turns of %d calls\n", TURNS, CALLS);
    printf("lease and free           %6.2f   core's own call   %6.2f   more  %.2f, at most 1.00: %s\n", c, bare, c - bare,
           c - bare <= 1.0 ? "holds" : "MISSED");
    return 0;
}
