#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOSE_RANGE_CLOEXEC_FLAG 4u

// What a child tells its parent through the status pipe.
struct report {
    int32_t kind;  // REPORT_PID or a stage
    int32_t value; // the pid, or an errno
};

#define REPORT_PID 100

static void write_report(int fd, int kind, int value) {
    struct report report = {kind, value};
    ssize_t ignored;
    do {
        ignored = write(fd, &report, sizeof report);
    } while (ignored < 0 && errno == EINTR);
}

static void fail(int fd, int stage) {
    write_report(fd, stage, errno);
    _exit(127);
}

static void close_on_exec_from(int first) {
    if (syscall(SYS_close_range, (unsigned)first, ~0u, CLOSE_RANGE_CLOEXEC_FLAG) == 0) return;
    struct rlimit limit;
    int last = 65536;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536) last = (int)limit.rlim_cur;
    for (int fd = first; fd < last; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void reset_signals(void) {
    struct sigaction action = {0};
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < 65; number++) sigaction(number, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// Runs in the child; only async-signal-safe calls.
static void become(const struct msx_spawn_request *request, int status_fd) {
    int streams[4] = {request->stdin_fd, request->stdout_fd, request->stderr_fd, request->extra_fd};
    for (int i = 0; i < 4; i++) {
        if (streams[i] < 0) continue;
        // Out of the way first, so that no dup2 overwrites one that is still needed.
        streams[i] = fcntl(streams[i], F_DUPFD_CLOEXEC, 10);
        if (streams[i] < 0) fail(status_fd, MSX_STAGE_STREAMS);
    }
    close_on_exec_from(3);
    for (int i = 0; i < 4; i++) {
        if (streams[i] >= 0 && dup2(streams[i], i) < 0) fail(status_fd, MSX_STAGE_STREAMS);
    }
    // The session is new, so it has no terminal yet.
    if (request->takes_terminal && ioctl(0, TIOCSCTTY, 0) < 0) fail(status_fd, MSX_STAGE_STREAMS);
    if (request->set_user) {
        if (setgroups(request->group_count, request->groups) < 0 || setgid(request->gid) < 0
            || setuid(request->uid) < 0)
            fail(status_fd, MSX_STAGE_USER);
    }
    if (request->workdir && chdir(request->workdir) < 0) fail(status_fd, MSX_STAGE_WORKDIR);
    reset_signals();
    execve(request->path, request->argv, request->envp);
    fail(status_fd, MSX_STAGE_EXEC);
}

// Until the parent has written down whose child this is; the end of the pipe is the end of the parent. Another child that
// was forked at the same moment may keep the pipe open, hence the limit.
static void await_go(int go_fd) {
    struct pollfd poller = {go_fd, POLLIN, 0};
    char byte;
    while (poll(&poller, 1, 10000) < 0) {
        if (errno != EINTR) _exit(127);
    }
    if (read(go_fd, &byte, 1) != 1) _exit(127);
}

static void run_child(const struct msx_spawn_request *request, int status_fd, int go_fd) {
    status_fd = fcntl(status_fd, F_DUPFD_CLOEXEC, 10);
    if (status_fd < 0) _exit(127);
    if (setsid() < 0) fail(status_fd, MSX_STAGE_FORK);
    if (go_fd >= 0) await_go(go_fd);
    if (request->detach) {
        pid_t pid = fork();
        if (pid < 0) fail(status_fd, MSX_STAGE_FORK);
        if (pid > 0) {
            write_report(status_fd, REPORT_PID, pid);
            _exit(0);
        }
        if (setsid() < 0) fail(status_fd, MSX_STAGE_FORK);
    }
    become(request, status_fd);
}

static void wait_for(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
}

int msx_spawn(const struct msx_spawn_request *request, struct msx_spawn_result *result) {
    result->pid = -1;
    result->stage = MSX_STAGE_FORK;
    int status[2];
    if (pipe2(status, O_CLOEXEC) < 0) {
        result->error = errno;
        return -1;
    }
    int go[2] = {-1, -1};
    if (request->forked && pipe2(go, O_CLOEXEC | O_NONBLOCK) < 0) {
        result->error = errno;
        close(status[0]);
        close(status[1]);
        return -1;
    }
    // No handler of ours may run in the child before its dispositions are reset.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        if (go[1] >= 0) close(go[1]);
        run_child(request, status[1], go[0]);
        _exit(127);
    }
    result->error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(status[1]);
    if (go[0] >= 0) close(go[0]);
    if (pid < 0) {
        close(status[0]);
        if (go[1] >= 0) close(go[1]);
        return -1;
    }
    if (request->forked) {
        request->forked(request->context, pid);
        // Fits into an empty pipe. A child that is gone already is told of below.
        ssize_t ignored = write(go[1], "g", 1);
        (void)ignored;
        close(go[1]);
    }
    result->pid = request->detach ? -1 : pid;
    result->stage = MSX_STAGE_NONE;
    result->error = 0;
    struct report report;
    for (;;) {
        ssize_t count = read(status[0], &report, sizeof report);
        if (count < 0 && errno == EINTR) continue;
        if (count != (ssize_t)sizeof report) break;
        if (report.kind == REPORT_PID) {
            result->pid = report.value;
        } else {
            result->stage = report.kind;
            result->error = report.value;
        }
    }
    close(status[0]);
    if (request->detach || result->stage != MSX_STAGE_NONE) wait_for(pid);
    if (result->stage != MSX_STAGE_NONE) {
        result->pid = -1;
        return -1;
    }
    return 0;
}

int msx_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

int msx_reap(struct msx_ended *ended) {
    siginfo_t info = {0};
    int looked;
    do {
        looked = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
    } while (looked < 0 && errno == EINTR);
    if (looked < 0) return -1;
    if (info.si_pid == 0) return 0;
    // Afterwards nobody can say any more.
    ended->session = getsid(info.si_pid);
    int status;
    struct rusage usage = {0};
    pid_t pid;
    do {
        pid = wait4(info.si_pid, &status, WNOHANG, &usage);
    } while (pid < 0 && errno == EINTR);
    if (pid <= 0) return (int)pid;
    ended->pid = pid;
    ended->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    ended->cpu_microseconds = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
    return 1;
}

static int signal_pipe[2] = {-1, -1};

static void on_signal(int number) {
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    // A full pipe already holds a byte that will wake the reader.
    ssize_t ignored = write(signal_pipe[1], &byte, 1);
    (void)ignored;
    errno = saved;
}

int msx_watch_signals(void) {
    if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) < 0) return -1;
    struct sigaction action = {0};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
    sigfillset(&action.sa_mask);
    if (sigaction(SIGCHLD, &action, NULL) < 0 || sigaction(SIGTERM, &action, NULL) < 0) return -1;
    struct sigaction ignore = {0};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGHUP, &ignore, NULL);
    sigaction(SIGINT, &ignore, NULL);
    return signal_pipe[0];
}

int msx_memory_file(const void *bytes, size_t count) {
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0) return -1;
    size_t done = 0;
    while (done < count) {
        ssize_t written = write(fd, (const char *)bytes + done, count - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            int saved = errno;
            close(fd);
            errno = saved;
            return -1;
        }
        done += (size_t)written;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

int msx_output_pipe(int fds[2]) {
    if (pipe2(fds, O_CLOEXEC) < 0) return -1;
    return fcntl(fds[0], F_SETFL, O_NONBLOCK);
}

int msx_input_pipe(int fds[2]) {
    if (pipe2(fds, O_CLOEXEC) < 0) return -1;
    return fcntl(fds[1], F_SETFL, O_NONBLOCK);
}

int msx_resize_terminal(int master, uint16_t columns, uint16_t rows) {
    struct winsize size = {.ws_col = columns, .ws_row = rows};
    return ioctl(master, TIOCSWINSZ, &size);
}

int msx_open_terminal(int fds[2], uint16_t columns, uint16_t rows) {
    char name[128];
    fds[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fds[0] < 0) return -1;
    fds[1] = -1;
    if (grantpt(fds[0]) == 0 && unlockpt(fds[0]) == 0 && ptsname_r(fds[0], name, sizeof name) == 0)
        fds[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios settings;
    if (fds[1] >= 0 && tcgetattr(fds[1], &settings) == 0) {
        settings.c_iflag |= IUTF8;
        if (tcsetattr(fds[1], TCSANOW, &settings) == 0 && msx_resize_terminal(fds[0], columns, rows) == 0) return 0;
    }
    int saved = errno;
    if (fds[1] >= 0) close(fds[1]);
    close(fds[0]);
    errno = saved;
    return -1;
}

int msx_point_at(int folder, const char *name) { return openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC); }

int msx_give(int descriptor, uid_t uid, gid_t gid) { return fchownat(descriptor, "", uid, gid, AT_EMPTY_PATH); }
