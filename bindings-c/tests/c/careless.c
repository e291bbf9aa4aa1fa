/* A client that frees nothing, which the tools must notice. The address of the last lease may still be on the stack. */
#include <portalloc.h>

int main(void) {
    portalloc_lease *lease = NULL;
    for (int leaked = 0; leaked < 3; leaked++) {
        if (portalloc_lease_new(NULL, &lease) != PORTALLOC_RESULT_OK) {
            return 1;
        }
    }
    lease = NULL;
    return lease != NULL;
}
