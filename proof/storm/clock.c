/* The clock of workers while somebody steps it: the real time of day, plus the seconds that a file says. It is preloaded,
 * since there is no namespace for the time of day, and the steps are to be this storm's only. Libraries that do the like
 * open a file or take a semaphore at each look, which would be what the kills hit, and would outlive them. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const int64_t *offset_s;

__attribute__((constructor)) static void open_offset(void) {
    const char *path = getenv("STORM_OFFSET");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof *offset_s, PROT_READ, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) offset_s = mapped;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int status = (int)syscall(SYS_clock_gettime, clock, now);
    if (status == 0 && clock == CLOCK_REALTIME && offset_s) now->tv_sec += __atomic_load_n(offset_s, __ATOMIC_RELAXED);
    return status;
}
