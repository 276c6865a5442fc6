import Foundation
import Glibc
import Runtimes

/// A user of this machine with all that a process needs to become it; looked up before any fork.
struct ServiceAccount: Sendable, Hashable {
    var name: String
    var uid: uid_t
    var gid: gid_t
    var groups: [gid_t]
    var home: String

    /// By name or number.
    static func named(_ name: String) throws -> ServiceAccount {
        guard let account = find(name) else {
            throw RuntimeError(
                .invalidWorkload, "there is no user `\(name)` on this machine", hint: "getent passwd")
        }
        return account
    }

    static func current() -> ServiceAccount {
        find(String(geteuid()))
            ?? ServiceAccount(
                name: String(geteuid()), uid: geteuid(), gid: getegid(), groups: [getegid()],
                home: ProcessInfo.processInfo.environment["HOME"] ?? "/")
    }

    private static func find(_ name: String) -> ServiceAccount? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 64 << 10)
        if let uid = uid_t(name) {
            getpwuid_r(uid, &entry, &buffer, buffer.count, &found)
        } else {
            getpwnam_r(name, &entry, &buffer, buffer.count, &found)
        }
        guard found != nil, let userName = entry.pw_name, let home = entry.pw_dir else { return nil }
        var groups = [gid_t](repeating: 0, count: 1024)
        var count = Int32(groups.count)
        if getgrouplist(userName, entry.pw_gid, &groups, &count) < 0 { count = 0 }
        let known = Array(groups.prefix(Int(count)))
        return ServiceAccount(
            name: String(cString: userName), uid: entry.pw_uid, gid: entry.pw_gid,
            groups: known.isEmpty ? [entry.pw_gid] : known, home: String(cString: home))
    }

    /// The first folder on the way to `path`, itself included, that this user may not enter; `nil` where it gets there.
    func firstClosedFolder(to path: String) -> String? {
        guard uid != 0 else { return nil }
        var prefix = ""
        for part in [""] + path.split(separator: "/").map(String.init) {
            prefix += part.isEmpty ? "" : "/" + part
            var status = stat()
            guard stat(prefix.isEmpty ? "/" : prefix, &status) == 0 else { return nil }
            let allowed: mode_t =
                status.st_uid == uid ? 0o100 : groups.contains(status.st_gid) || status.st_gid == gid ? 0o010 : 0o001
            if status.st_mode & allowed == 0 { return prefix.isEmpty ? "/" : prefix }
        }
        return nil
    }
}
