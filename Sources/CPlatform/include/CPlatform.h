#pragma once

#include <time.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The few system calls that Swift cannot make safely: what happens between fork and exec may only use
// async-signal-safe functions, and Swift's runtime is none.

/// Where a spawn failed; `error` of the result is the errno of that step.
enum msx_spawn_stage {
    MSX_STAGE_NONE = 0,
    /// Pipes, fork, setsid: the machine has no more to give.
    MSX_STAGE_FORK = 1,
    /// Putting the standard streams in place.
    MSX_STAGE_STREAMS = 2,
    /// setgroups, setgid or setuid.
    MSX_STAGE_USER = 3,
    /// chdir, already as the new user.
    MSX_STAGE_WORKDIR = 4,
    /// execve.
    MSX_STAGE_EXEC = 5,
};

struct msx_spawn_request {
    /// Absolute path of the program.
    const char *path;
    /// NULL-terminated.
    char *const *argv;
    char *const *envp;
    /// NULL: stay where the caller is.
    const char *workdir;
    int stdin_fd;
    int stdout_fd;
    int stderr_fd;
    /// Becomes descriptor 3; -1 for none. Every other descriptor is closed.
    int extra_fd;
    /// Whether uid, gid and groups are to be set (needs root).
    int set_user;
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    size_t group_count;
    /// Whether descriptor 0 is a terminal that becomes the program's controlling terminal.
    int takes_terminal;
    /// Fork twice, so that the program is nobody's child and leaves no zombie with the caller.
    int detach;
    /// NULL, or called with the pid of the child before it becomes the program; a caller that dies meanwhile takes the child
    /// with it. Not together with `detach`.
    void (*forked)(void *context, pid_t pid);
    void *context;
};

struct msx_spawn_result {
    pid_t pid;
    int stage;
    int error;
};

/// Starts a program in a session of its own, with default signal dispositions and an empty mask.
/// Returns once exec worked or failed; 0 or -1.
int msx_spawn(const struct msx_spawn_request *request, struct msx_spawn_result *result);

/// Descendants whose parent ends become children of this process. 0 or -1 with errno.
int msx_become_subreaper(void);

struct msx_ended {
    pid_t pid;
    /// Its session's leader; -1 where that is not known.
    pid_t session;
    /// 128 + signal for a signal.
    int32_t exit_code;
    /// User and system time of the process and of those of its descendants that were waited for (wait4(2)).
    int64_t cpu_microseconds;
};

/// Reaps one ended child without waiting. 1 with what it was, 0 when none has ended, -1 when there is no child.
int msx_reap(struct msx_ended *ended);

/// Catches SIGCHLD and SIGTERM, ignores SIGPIPE, SIGHUP and SIGINT. Gives a descriptor from which one byte per signal
/// (its number) can be read; bursts may be merged. -1 with errno.
int msx_watch_signals(void);

/// A file in memory with these bytes, its offset at the start. -1 with errno.
int msx_memory_file(const void *bytes, size_t count);

/// A pipe whose both ends are close-on-exec and whose read end never blocks. 0 or -1.
int msx_output_pipe(int fds[2]);

/// A new pseudo-terminal of this size, with the line discipline's usual settings for UTF-8: `fds[0]` is its master, which
/// never blocks, `fds[1]` the terminal; both close-on-exec, and nobody's controlling terminal. 0 or -1 with errno.
int msx_open_terminal(int fds[2], uint16_t columns, uint16_t rows);

/// Changes a terminal's size, by its master; its foreground processes get SIGWINCH. 0 or -1 with errno.
int msx_resize_terminal(int master, uint16_t columns, uint16_t rows);

/// A pipe whose both ends are close-on-exec and whose write end never blocks. 0 or -1.
int msx_input_pipe(int fds[2]);

/// A descriptor of whatever has this name in a folder, a link itself too, for nothing but asking about it and
/// `msx_give`; close-on-exec. -1 with errno.
int msx_point_at(int folder, const char *name);

/// Changes the owner of what a descriptor of `msx_point_at` stands for. 0 or -1 with errno.
int msx_give(int descriptor, uid_t uid, gid_t gid);

/// Nanoseconds of a clock that only goes forward. No system call where the kernel offers one without.
static inline uint64_t msx_monotonic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/// Nanoseconds since 1970, UTC.
static inline int64_t msx_wall_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + (int64_t)now.tv_nsec;
}

// Sockets, and handing them to another process.

/// A TCP socket that listens on a numeric address, IPv4 or IPv6; 0 is any free port. It never blocks and is close-on-exec.
/// The descriptor, or -1 with errno (EINVAL: no address).
int msx_listen_tcp(const char *host, uint16_t port, int backlog);

/// The port that a socket is bound to; 0 where that cannot be told.
uint16_t msx_local_port(int descriptor);

/// A Unix socket that keeps messages apart (SOCK_SEQPACKET) and listens at a path, mode 0600; what was there is removed.
/// Close-on-exec. -1 with errno.
int msx_listen_messages(const char *path);

/// Connects to such a socket. -1 with errno.
int msx_connect_messages(const char *path);

/// The next connection; close-on-exec. -1 with errno.
int msx_accept_messages(int descriptor);

/// The most descriptors that go with one message.
#define MSX_MOST_DESCRIPTORS 200

/// Sends one message with up to MSX_MOST_DESCRIPTORS descriptors. 0 or -1 with errno.
int msx_send_message(int descriptor, const void *bytes, size_t count, const int *handed, size_t handed_count);

/// Waits for one message, for at most so many milliseconds (-1: for ever), and takes it with its descriptors (close-on-exec;
/// room for MSX_MOST_DESCRIPTORS). Its length, 0 at the end, or -1 with errno (ETIMEDOUT; EMSGSIZE where it does not fit).
ssize_t msx_receive_message(
    int descriptor, int milliseconds, void *bytes, size_t capacity, int *handed, size_t *handed_count);

// Memory that several processes map.

/// Zeros in memory that has no name and keeps its size, to be mapped and handed to others; close-on-exec. The descriptor, or
/// -1 with errno.
int msx_shared_file(size_t size);

// Single words in such memory, whoever else uses them (C11 memory model).

static inline uint64_t msx_load(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

static inline uint64_t msx_load_relaxed(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }

static inline void msx_store(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

static inline void msx_store_relaxed(uint64_t *word, uint64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline void msx_add(uint64_t *word, uint64_t value) { __atomic_fetch_add(word, value, __ATOMIC_RELAXED); }

/// Whether the word was `expected`, and is `value` now.
static inline int msx_exchange(uint64_t *word, uint64_t expected, uint64_t value) {
    return __atomic_compare_exchange_n(word, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static inline void msx_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

static inline void msx_fence_acquire(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }
