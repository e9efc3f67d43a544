/* A disk on which something goes wrong, for one process that this is preloaded into.
 *
 * FULL_AFTER=N lets N calls that take room on a disk go through and refuses the next one, or with
 * FULL_FOR=ever all that follow, as a full disk does. Streams and sockets are no disk.
 * FULL_COUNT names a file that is told how many such calls there were. KILL_AFTER=N kills the process
 * with SIGKILL in place of the call after N of them.
 *
 * CHANGE_FILE names a file for which CHANGE_COMMAND is run once: before it is opened, or, with
 * CHANGE_AT=read, after the first bytes of it have been read. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;

static void count_them(void) __attribute__((destructor));
static void count_them(void) {
	const char *path = getenv("FULL_COUNT");
	FILE *file = path ? fopen(path, "w") : NULL;
	if (file) {
		fprintf(file, "%ld\n", atomic_load(&calls));
		fclose(file);
	}
}

/* Whether this call finds the disk full. */
static int is_full(void) {
	const char *after = getenv("FULL_AFTER"), *length = getenv("FULL_FOR"), *killed = getenv("KILL_AFTER");
	long number = atomic_fetch_add(&calls, 1) + 1, last;
	if (killed && number == atol(killed) + 1) raise(SIGKILL);
	if (!after) return 0;
	last = atol(after);
	if (number != last + 1 && !(number > last && length && strcmp(length, "ever") == 0)) return 0;
	errno = ENOSPC;
	return 1;
}

static int is_file(int descriptor) {
	struct stat found;
	return descriptor > 2 && fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode);
}

/* Runs CHANGE_COMMAND, if it is for this file and moment and has not been run. */
static void change(const char *at, const struct stat *file) {
	static atomic_flag done = ATOMIC_FLAG_INIT;
	const char *named = getenv("CHANGE_FILE"), *wanted = getenv("CHANGE_AT"), *command = getenv("CHANGE_COMMAND");
	struct stat found;
	if (!named || !command || strcmp(at, wanted ? wanted : "open") != 0) return;
	if (stat(named, &found) != 0 || found.st_ino != file->st_ino || found.st_dev != file->st_dev) return;
	if (atomic_flag_test_and_set(&done)) return;
	unsetenv("LD_PRELOAD");
	if (system(command) != 0) abort();
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int to, const void *bytes, size_t count) {
	return is_file(to) && is_full() ? -1 : REAL(write)(to, bytes, count);
}

ssize_t writev(int to, const struct iovec *pieces, int count) {
	return is_file(to) && is_full() ? -1 : REAL(writev)(to, pieces, count);
}

ssize_t pwrite64(int to, const void *bytes, size_t count, off64_t at) {
	return is_file(to) && is_full() ? -1 : REAL(pwrite64)(to, bytes, count, at);
}

ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *there, size_t count, unsigned flags) {
	return is_full() ? -1 : REAL(copy_file_range)(from, at, to, there, count, flags);
}

int fsync(int descriptor) { return is_full() ? -1 : REAL(fsync)(descriptor); }

int mkdir(const char *path, mode_t mode) { return is_full() ? -1 : REAL(mkdir)(path, mode); }

int rename(const char *from, const char *to) { return is_full() ? -1 : REAL(rename)(from, to); }

int linkat(int above, const char *from, int below, const char *to, int flags) {
	return is_full() ? -1 : REAL(linkat)(above, from, below, to, flags);
}

ssize_t read(int from, void *bytes, size_t count) {
	ssize_t taken = REAL(read)(from, bytes, count);
	struct stat found;
	if (taken > 0 && fstat(from, &found) == 0) change("read", &found);
	return taken;
}

int open64(const char *path, int flags, ...) {
	mode_t mode = 0;
	struct stat found;
	if (!(flags & (O_CREAT | O_DIRECTORY)) && stat(path, &found) == 0) change("open", &found);
	if (flags & O_CREAT) {
		va_list rest;
		va_start(rest, flags);
		mode = va_arg(rest, mode_t);
		va_end(rest);
		if (is_full()) return -1;
	}
	return REAL(open64)(path, flags, mode);
}
