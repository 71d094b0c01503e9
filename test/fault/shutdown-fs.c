/* Cuts the power of a mounted ext4: FS_IOC_SHUTDOWN without flushing its journal. Argument: the mount point. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define FS_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#define SHUTDOWN_NO_LOG_FLUSH 2

int main(int argc, char **argv) {
  uint32_t flags = SHUTDOWN_NO_LOG_FLUSH;
  int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
  if (fd < 0 || ioctl(fd, FS_IOC_SHUTDOWN, &flags) < 0) {
    perror("FS_IOC_SHUTDOWN");
    return 1;
  }
  return 0;
}
