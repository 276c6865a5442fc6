import Glibc

/// What the kernel and the file system allow.
package enum MachineChecks {
    private static let leastFreeBytes: UInt64 = 200 << 20
    private static let comfortableFreeBytes: UInt64 = 2 << 30
    private static let leastDescriptors: UInt64 = 256
    private static let comfortableDescriptors: UInt64 = 4096
    private static let comfortableInotify = 64

    /// Whether it can be written, or made in the nearest folder above that exists.
    package static func stateFolder(_ path: String) -> DoctorCheck {
        let existing = nearestFolder(path)
        if let reason = whyUnwritable(existing) {
            return DoctorCheck(
                "state folder", .missing, "\(path): cannot write in \(existing): \(reason)",
                mend: "export MICROSTAX_HOME=<a folder of yours>", required: true)
        }
        let detail = existing == path ? path : "\(path) (made when it is needed)"
        return DoctorCheck("state folder", .ok, detail, required: true)
    }

    /// Tries it, because permissions alone do not tell: `nil` where a folder can be made, which is removed again.
    private static func whyUnwritable(_ folder: String) -> String? {
        var template = Array((folder + "/.microstax-doctor-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { return String(cString: strerror(errno)) }
        rmdir(template)
        return nil
    }

    package static func diskSpace(_ path: String) -> DoctorCheck {
        var space = statvfs()
        let folder = nearestFolder(path)
        guard statvfs(folder, &space) == 0 else {
            return DoctorCheck("disk space", .warning, "\(folder): \(String(cString: strerror(errno)))")
        }
        let free = UInt64(space.f_bavail) * UInt64(space.f_frsize)
        let detail = "\(free >> 20) MiB free in \(folder)"
        let mend = "make room in \(folder), or export MICROSTAX_HOME=<a folder with room>"
        if free < leastFreeBytes { return DoctorCheck("disk space", .missing, detail, mend: mend, required: true) }
        return DoctorCheck(
            "disk space", free < comfortableFreeBytes ? .warning : .ok, detail, mend: mend, required: true)
    }

    package static func limits() -> [DoctorCheck] { [processes(), descriptors(), inotify()] }

    private static func processes() -> DoctorCheck {
        guard access("/proc/self/stat", R_OK) == 0 else {
            return DoctorCheck(
                "/proc", .missing, "not readable, so processes cannot be told apart",
                mend: "sudo mount -t proc proc /proc", required: true)
        }
        return DoctorCheck("/proc", .ok, "readable", required: true)
    }

    private static func descriptors() -> DoctorCheck {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let soft = UInt64(limit.rlim_cur)
        let detail = "at most \(soft) open files in a process"
        let mend = "ulimit -n \(comfortableDescriptors)"
        let state: DoctorCheck.State =
            soft < leastDescriptors ? .missing : soft < comfortableDescriptors ? .warning : .ok
        // 1024 is what Debian gives; the server raises its own soft limit to the hard one.
        let hard = UInt64(limit.rlim_max)
        if state == .warning, hard >= comfortableDescriptors {
            return DoctorCheck("open files", .ok, detail + ", can be raised to \(hard)", required: true)
        }
        return DoctorCheck("open files", state, detail, mend: mend, required: true)
    }

    private static func inotify() -> DoctorCheck {
        let path = "/proc/sys/fs/inotify/max_user_instances"
        guard let count = number(in: path) else { return DoctorCheck("inotify", .warning, "\(path) is not readable") }
        return DoctorCheck(
            "inotify", count < comfortableInotify ? .warning : .ok, "at most \(count) watchers for a user",
            mend: "sudo sysctl fs.inotify.max_user_instances=\(comfortableInotify * 2)")
    }

    private static func number(in path: String) -> Int? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = read(file, &buffer, buffer.count)
        return Int(String(decoding: buffer.prefix(max(0, count)).filter { $0 > 32 }, as: UTF8.self))
    }

    private static func nearestFolder(_ path: String) -> String {
        var path = path
        var status = stat()
        while path.count > 1, stat(path, &status) != 0 {
            path = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
            if path.isEmpty { path = "/" }
        }
        return path
    }
}
