/* A client that frees nothing, for the sake of those who must notice. */
#include <portalloc.h>

int main(void) {
    portalloc_lease *lease;
    if (portalloc_lease_new(NULL, &lease) != PORTALLOC_RESULT_OK) {
        return 1;
    }
    lease = NULL;
    return lease != NULL;
}
