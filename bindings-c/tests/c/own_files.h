/* Programs that close descriptors they do not know, and open files of their own under the same numbers. */
#ifndef OWN_FILES_H
#define OWN_FILES_H

#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { NUMBERS = 400 };

/* As daemons and test runners do when they start. */
static inline void close_all(void) {
    for (int number = 3; number < NUMBERS; number++) {
        close(number);
    }
}

static inline int own_file(void) {
    char path[4096];
    snprintf(path, sizeof path, "%s/own-file-%ld", getenv("TMPDIR"), (long)getpid());
    int file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    CHECK(file >= 0 && unlink(path) == 0);
    return file;
}

static inline bool is_the_same(int one, int other) {
    struct stat of_one, of_other;
    return fstat(one, &of_one) == 0 && fstat(other, &of_other) == 0 && of_one.st_dev == of_other.st_dev &&
           of_one.st_ino == of_other.st_ino;
}

/* Every number that the library may have had, save one, is a file of this program's now. The one is the first file. */
static inline int own_files_everywhere(void) {
    int first = own_file();
    for (int number = 3; number < NUMBERS; number++) {
        CHECK(number == first || dup2(first, number) == number);
    }
    return first;
}

static inline void all_are_still(int first) {
    for (int number = 3; number < NUMBERS; number++) {
        CHECK(is_the_same(first, number));
    }
    struct stat status;
    CHECK(write(first, "mine", 4) == 4 && fstat(first, &status) == 0 && status.st_size % 4 == 0);
}

#endif
