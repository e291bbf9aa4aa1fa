#include <portalloc.h>

/* Nanoseconds for so many times a lease of so many ports and its release; -1 if one fails. The functions are arguments
 * because a program without cgo has them only once it has loaded the library. */
int64_t lease_and_release(portalloc_result (*lease_new)(const portalloc_lease_options *, portalloc_lease **),
                          void (*lease_free)(portalloc_lease *), int64_t ports, int64_t times);
