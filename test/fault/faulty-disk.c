/*
 * LD_PRELOAD: the store's disk, watched and made to fail.
 * FAULT_DIR: prefix of the watched files. FAULT_LOG: every write, truncation, sync and removal of them is appended there, with
 * what is written to the descriptor FAULT_MARK_FD (what was called accepted). FAULT_CONTROL: a file whose bytes are the faults now:
 * [0] 1 fsync fails, 2 write fails (EIO), 3 disk full, 4 short writes, 5 read-only, 6 read fails (EIO),
 * 7 no file descriptor is left to open a file; [1] every fsync takes that many 10 ms.
 * [2] to [4]: a call of the store at which the process kills itself; [2] how many such calls on it is (0 none), [3] 0 before an
 * fsync, 1 after it, 2 in the middle of a write; [4] another value than before counts anew from [2].
 * A record: kind (1), file (1: 0 database, 1 WAL, 2 other), 6 bytes unused, offset (8), length (8), data.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int log_fd = -1, mark_fd = -1;
static const char *prefix;
static volatile const uint8_t *control = (const uint8_t[5]){0};

__attribute__((constructor)) static void begin(void) {
  const char *log = getenv("FAULT_LOG"), *mark = getenv("FAULT_MARK_FD"), *file = getenv("FAULT_CONTROL");
  int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
  prefix = getenv("FAULT_DIR");
  if (log) log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (mark) mark_fd = atoi(mark);
  if (fd >= 0) control = mmap(NULL, 5, PROT_READ, MAP_SHARED, fd, 0);
}

/* 0 database, 1 WAL, 2 another file; -1: not watched. */
static int kind_of(const char *path) {
  if (!prefix || strncmp(path, prefix, strlen(prefix))) return -1;
  const char *name = strrchr(path, '/') + 1;
  return !strcmp(name, "cigale.db") ? 0 : !strcmp(name, "cigale.db-wal") ? 1 : 2;
}

static int watched(int fd) {
  char link[32], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  path[length < 0 ? 0 : length] = 0;
  return kind_of(path);
}

static void note(char kind, int file, uint64_t offset, const void *data, uint64_t length, int has_data) {
  struct { char kind, file, unused[6]; uint64_t offset, length; } head = {kind, file, {0}, offset, length};
  struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, has_data ? length : 0}};
  if (log_fd >= 0 && writev(log_fd, parts, 2) < 0) abort();
}

/* Whether this call, 0 an fsync or 1 a write, is the one that was chosen for the end. */
static int is_last(int file, int call) {
  static int generation, left;
  if (file != 0 && file != 1) return 0;
  if (generation != control[4]) generation = control[4], left = control[2];
  return left > 0 && control[3] >> 1 == call && --left == 0;
}

static void end(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static ssize_t put(int fd, const void *data, size_t length, off64_t offset) {
  int file = watched(fd), fault = file == 0 || file == 1 ? control[0] : 0;
  if (fault >= 2 && fault <= 5 && (fault != 4 || length < 2)) {
    errno = fault == 3 ? ENOSPC : fault == 5 ? EROFS : EIO;
    return -1;
  }
  if (is_last(file, 1)) REAL(pwrite64)(fd, data, length / 2, offset), end();
  ssize_t written = REAL(pwrite64)(fd, data, fault == 4 ? length / 2 : length, offset);
  if (file >= 0 && written > 0) note('W', file, offset, data, written, 1);
  return written;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) { return put(fd, data, length, offset); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return put(fd, data, length, offset); }

static ssize_t get(int fd, void *data, size_t length, off64_t offset) {
  int file = control[0] == 6 ? watched(fd) : -1;
  if (file == 0 || file == 1) return errno = EIO, -1;
  return REAL(pread64)(fd, data, length, offset);
}

ssize_t pread64(int fd, void *data, size_t length, off64_t offset) { return get(fd, data, length, offset); }
ssize_t pread(int fd, void *data, size_t length, off_t offset) { return get(fd, data, length, offset); }

static int open_file(const char *path, int flags, mode_t mode) {
  if (control[0] == 7 && kind_of(path) >= 0) return errno = EMFILE, -1;
  return REAL(open64)(path, flags, mode);
}

static mode_t mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; }

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_file(path, flags, mode);
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_file(path, flags, mode);
}

ssize_t write(int fd, const void *data, size_t length) {
  if (fd == mark_fd) note('A', 2, 0, data, length, 1);
  return REAL(write)(fd, data, length);
}

static int sync_file(int fd) {
  int file = watched(fd), is_end = is_last(file, 0);
  if (is_end && control[3] == 0) end();
  if (file >= 0 && control[1]) usleep(control[1] * 10000);
  if ((file == 0 || file == 1) && control[0] == 1) return errno = EIO, -1;
  int result = REAL(fsync)(fd);
  if (is_end) end();
  if (file >= 0 && result == 0) note('S', file, 0, NULL, 0, 0);
  return result;
}

int fsync(int fd) { return sync_file(fd); }
int fdatasync(int fd) { return sync_file(fd); }

static int cut_file(int fd, off64_t length) {
  int file = watched(fd), result = REAL(ftruncate64)(fd, length);
  if (file >= 0 && result == 0) note('T', file, length, NULL, 0, 0);
  return result;
}

int ftruncate64(int fd, off64_t length) { return cut_file(fd, length); }
int ftruncate(int fd, off_t length) { return cut_file(fd, length); }

int unlink(const char *path) {
  int result = REAL(unlink)(path), file = kind_of(path);
  if (file >= 0 && result == 0) note('U', file, 0, NULL, 0, 0);
  return result;
}
