"""Runs `microstax env exec` on a pseudo-terminal as a person would, and says what is wrong."""
import fcntl, os, pty, select, signal, struct, sys, termios, time

program = sys.argv[1]


def resize(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Session:
    def __init__(self, *command, size=(97, 31)):
        self.master, slave = pty.openpty()
        resize(self.master, *size)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.text = b""
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(slave, fd)
            os.execv(program, [program, "env", "exec", "solo", "api", "--", *command])

    def until(self, mark, limit=30):
        end = time.monotonic() + limit
        while mark not in self.text:
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                sys.exit(f"{mark!r} never came; there was {self.text!r}")
            if select.select([self.master], [], [], 0.1)[0]:
                self.text += os.read(self.master, 65536)
        self.text = self.text[self.text.index(mark) + len(mark):]

    def write(self, data):
        os.write(self.master, data)

    def end(self, limit=30):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                if termios.tcgetattr(self.slave) != self.before:
                    sys.exit("the terminal is not as it was")
                return status
            if select.select([self.master], [], [], 0.02)[0]:
                self.text += os.read(self.master, 65536)
        os.kill(self.pid, signal.SIGKILL)
        sys.exit(f"it did not end; there was {self.text!r}")


# Typed at a shell: sizes, Ctrl-C for the program in front, the exit code.
s = Session("env", "PS1=ready> ", "ENV=", "sh", "-i")
s.until(b"ready> ")
s.write(b"stty size\r")
s.until(b"31 97")
resize(s.master, 50, 20)
s.until(b"ready> ")
s.write(b"until stty size | grep '20 50'; do sleep 0.05; done\r")
s.until(b"20 50\r\n")
s.until(b"ready> ")
# What is typed before `cat` reads would be echoed before this is written.
s.write(b"echo begun-$((1 + 1)); cat\r")
s.until(b"begun-2\r\n")
s.write(b"typed\r")
s.until(b"typed\r\ntyped\r\n")
s.write(b"\x03")
s.until(b"ready> ")
s.write(b"exit 7\r")
status = s.end()
if os.waitstatus_to_exitcode(status) != 7:
    sys.exit(f"exit code {os.waitstatus_to_exitcode(status)}")

# Ended from outside: the terminal is as it was, the command is gone.
s = Session("sh", "-c", "stty raw -echo; echo armed; exec sleep 603")
s.until(b"armed")
os.kill(s.pid, signal.SIGTERM)
status = s.end()
if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGTERM:
    sys.exit(f"SIGTERM gave {status}")

# Output that is not a terminal's: none is asked for.
s = Session("sh", "-c", "tty; exit 3")
s.until(b"/dev/pts/")
if os.waitstatus_to_exitcode(s.end()) != 3:
    sys.exit("exit code of tty")
print("all is well")
