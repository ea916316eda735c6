/* The machine's clock, as far ahead of the real one as a file says: eight bytes, nanoseconds, little-endian.
   Preloaded (LD_PRELOAD) into a process; the file's name is in SHIFTED_BY. Monotonic clocks stay as they are. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t shift(void) {
    static volatile const int64_t *by = NULL;
    if (by == NULL) {
        const char *name = getenv("SHIFTED_BY");
        int file = name ? open(name, O_RDONLY) : -1;
        if (file < 0) return 0;
        void *mapped = mmap(NULL, 8, PROT_READ, MAP_SHARED, file, 0);
        close(file);
        if (mapped == MAP_FAILED) return 0;
        by = mapped;
    }
    return *by;
}

int clock_gettime(clockid_t which, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *) = NULL;
    if (real == NULL) real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(which, at);
    if (!failed && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
        int64_t whole = (int64_t)at->tv_sec * 1000000000 + at->tv_nsec + shift();
        at->tv_sec = whole / 1000000000;
        at->tv_nsec = whole % 1000000000;
    }
    return failed;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
