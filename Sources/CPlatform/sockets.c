#define _GNU_SOURCE
#include "CPlatform.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(int descriptor) {
    int saved = errno;
    if (descriptor >= 0) close(descriptor);
    errno = saved;
    return -1;
}

int msx_listen_tcp(const char *host, uint16_t port, int backlog) {
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    const struct sockaddr *address;
    socklen_t length;
    if (inet_pton(AF_INET, host, &four.sin_addr) == 1) {
        address = (const struct sockaddr *)&four;
        length = sizeof four;
    } else if (inet_pton(AF_INET6, host, &six.sin6_addr) == 1) {
        address = (const struct sockaddr *)&six;
        length = sizeof six;
    } else {
        errno = EINVAL;
        return -1;
    }
    int descriptor = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    int on = 1;
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) return fail(descriptor);
    if (bind(descriptor, address, length) < 0 || listen(descriptor, backlog) < 0) return fail(descriptor);
    return descriptor;
}

uint16_t msx_local_port(int descriptor) {
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    if (getsockname(descriptor, (struct sockaddr *)&address, &length) < 0) return 0;
    // The port lies at the same place in both.
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static int unix_address(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address->sun_path, path);
    return 0;
}

int msx_listen_messages(const char *path) {
    struct sockaddr_un address;
    if (unix_address(path, &address) < 0) return -1;
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    unlink(path);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) return fail(descriptor);
    // Nobody can connect before it listens.
    if (chmod(path, 0600) < 0 || listen(descriptor, 64) < 0) return fail(descriptor);
    return descriptor;
}

int msx_connect_messages(const char *path) {
    struct sockaddr_un address;
    if (unix_address(path, &address) < 0) return -1;
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) return fail(descriptor);
    return descriptor;
}

int msx_accept_messages(int descriptor) {
    int accepted;
    do {
        accepted = accept4(descriptor, NULL, NULL, SOCK_CLOEXEC);
    } while (accepted < 0 && (errno == EINTR || errno == ECONNABORTED));
    return accepted;
}

int msx_send_message(int descriptor, const void *bytes, size_t count, const int *handed, size_t handed_count) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * MSX_MOST_DESCRIPTORS)];
    } control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (handed_count > MSX_MOST_DESCRIPTORS) {
        errno = EINVAL;
        return -1;
    }
    if (handed_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * handed_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * handed_count);
        memcpy(CMSG_DATA(header), handed, sizeof(int) * handed_count);
    }
    ssize_t sent;
    do {
        sent = sendmsg(descriptor, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

ssize_t msx_receive_message(
    int descriptor, int milliseconds, void *bytes, size_t capacity, int *handed, size_t *handed_count) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * MSX_MOST_DESCRIPTORS)];
    } control;
    *handed_count = 0;
    struct pollfd wait = {.fd = descriptor, .events = POLLIN};
    int ready;
    do {
        ready = poll(&wait, 1, milliseconds);
    } while (ready < 0 && errno == EINTR);
    if (ready < 0) return -1;
    if (ready == 0) {
        errno = ETIMEDOUT;
        return -1;
    }
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    ssize_t count;
    do {
        count = recvmsg(descriptor, &message, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return -1;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t found = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(handed + *handed_count, CMSG_DATA(header), found * sizeof(int));
        *handed_count += found;
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        for (size_t index = 0; index < *handed_count; index++) close(handed[index]);
        *handed_count = 0;
        errno = EMSGSIZE;
        return -1;
    }
    return count;
}
